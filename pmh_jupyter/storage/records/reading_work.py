"""Work as it is shown, loaded in a bounded number of questions. Not for use outside of `storage`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.verdict import ExerciseVerdict
from pmh_jupyter.domain.work import Kind, Work, WorkState
from pmh_jupyter.storage.tables.classrooms import AssignmentRow, ClassroomRow
from pmh_jupyter.storage.tables.courses import ExerciseRow, LessonRow
from pmh_jupyter.storage.tables.results import VerdictRow
from pmh_jupyter.storage.tables.work import JobRow, SubmissionRow
from pmh_jupyter.storage.verdicts import flag_from_json, message_from_json, verdict_from_json


def load_work(session: Session, ids: Sequence[UUID]) -> tuple[Work, ...]:
    """Work by id, in the order of the ids; those that do not exist are left out."""
    rows = session.execute(
        select(SubmissionRow, ClassroomRow.slug, LessonRow.slug)
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .join(ClassroomRow, ClassroomRow.id == AssignmentRow.classroom_id)
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(SubmissionRow.id.in_(ids))
    ).all()
    if not rows:
        return ()
    titles = _titles(session, {row.release_id for row, _, _ in rows})
    verdicts = _verdicts(session, [row.id for row, _, _ in rows])
    positions = _positions(session, [row.id for row, _, _ in rows if row.state == WorkState.QUEUED])
    found = {
        row.id: _to_work(row, classroom, lesson, titles, verdicts.get(row.id, ()), positions.get(row.id))
        for row, classroom, lesson in rows
    }
    return tuple(found[id] for id in ids if id in found)


def _to_work(
    row: SubmissionRow,
    classroom: str,
    lesson: str,
    titles: dict[str, dict[str, str]],
    verdicts: tuple[ExerciseVerdict, ...],
    position: int | None,
) -> Work:
    return Work(
        id=row.id,
        kind=Kind(row.kind),
        person=row.person_id,
        classroom=classroom,
        lesson=lesson,
        release=row.release_id,
        state=WorkState(row.state),
        received_at=row.received_at,
        content_hash=row.content_hash,
        exercises=tuple(row.exercises),
        graded_at=row.graded_at,
        position=position,
        verdicts=verdicts,
        titles=titles.get(row.release_id, {}),
        healed=tuple(message_from_json(data) for data in row.healed),
        flags=tuple(flag_from_json(data) for data in row.flags),
        fault=message_from_json(row.fault) if row.fault else None,
        receipt=row.receipt,
    )


def _titles(session: Session, releases: set[str]) -> dict[str, dict[str, str]]:
    """Release to grade_id to title."""
    found: dict[str, dict[str, str]] = {}
    for row in session.scalars(select(ExerciseRow).where(ExerciseRow.release_id.in_(releases))):
        found.setdefault(row.release_id, {})[row.grade_id] = row.title
    return found


def _verdicts(session: Session, ids: Sequence[UUID]) -> dict[UUID, tuple[ExerciseVerdict, ...]]:
    """The verdicts of the newest grading of each, in the lesson's order."""
    rows = session.execute(
        select(VerdictRow)
        .join(JobRow, JobRow.id == VerdictRow.job_id)
        .where(VerdictRow.submission_id.in_(ids))
        .order_by(JobRow.created_at, VerdictRow.position)
    ).scalars()
    found: dict[UUID, dict[UUID, list[ExerciseVerdict]]] = {}
    for row in rows:
        found.setdefault(row.submission_id, {}).setdefault(row.job_id, []).append(verdict_from_json(row.body))
    return {work: tuple(list(jobs.values())[-1]) for work, jobs in found.items()}


def _positions(session: Session, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Places in the queue, from 1."""
    if not ids:
        return {}
    place = func.row_number().over(order_by=(JobRow.priority, JobRow.turn, JobRow.created_at, JobRow.id)).label("place")
    queue = select(JobRow.submission_id, place).where(JobRow.state == "queued").subquery()
    rows = session.execute(select(queue.c.submission_id, queue.c.place).where(queue.c.submission_id.in_(ids)))
    return {work: position for work, position in rows}
