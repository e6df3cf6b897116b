"""The map of a classroom for one member: the same number of questions whatever the size of the course."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.achievements import reach
from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.outline import Outline, OutlineAward, OutlineExercise, OutlineLesson
from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.progress import lesson_state
from pmh_jupyter.domain.work import Kind
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.facts import facts_of
from pmh_jupyter.storage.records.lookup import (
    Placed,
    achievements_of,
    exercises_of,
    find_membership,
    placed_lessons,
    version_in_force,
)
from pmh_jupyter.storage.records.standing import Done, done_by
from pmh_jupyter.storage.records.work import used_attempts
from pmh_jupyter.storage.tables.classrooms import ClassroomRow, OpeningRow
from pmh_jupyter.storage.tables.courses import ReleaseFileRow
from pmh_jupyter.storage.tables.results import AwardRow
from pmh_jupyter.storage.tables.work import SubmissionRow


def outline(database: Database, person: UUID, classroom: str) -> Outline:
    """Everything that the panel shows of a classroom; raises NotFound for one that the person is not in."""
    with database.read() as session:
        member = find_membership(session, person, classroom)
        return Outline(
            membership=member,
            lessons=_lessons(session, member),
            awards=_awards(session, member),
            last_event=session.scalars(
                select(ClassroomRow.last_event).where(ClassroomRow.id == member.classroom.id)
            ).one(),
        )


def _lessons(session: Session, member: Membership) -> tuple[OutlineLesson, ...]:
    person = member.person.id
    placed = placed_lessons(session, member.classroom.id)
    releases = {one.release for one in placed}
    assignments = {one.assignment.id for one in placed}
    exercises = exercises_of(session, releases)
    notebooks = _notebooks(session, releases)
    done = done_by(session, member.classroom.id, [person])[person]
    opened = _opened(session, person, assignments)
    used = used_attempts(session, person, assignments)
    submitted = _submitted(session, person, assignments)
    return tuple(
        _lesson(
            one,
            exercises[one.release],
            notebooks[one.release],
            done,
            opened=one.assignment.id in opened,
            used=used.get(one.assignment.id, 0),
            submitted_at=submitted.get(one.assignment.id),
        )
        for one in placed
    )


def _lesson(
    placed: Placed,
    exercises: tuple[Exercise, ...],
    notebooks: tuple[str, ...],
    done: Done,
    *,
    opened: bool,
    used: int,
    submitted_at: datetime | None,
) -> OutlineLesson:
    shown = tuple(OutlineExercise(one, done.progress(placed.lesson, one)) for one in exercises)
    allowed = placed.assignment.attempts
    return OutlineLesson(
        slug=placed.lesson,
        title=placed.title,
        unit=placed.unit,
        release=placed.release,
        state=lesson_state((one.progress.state for one in shown), opened=opened),
        exercises=shown,
        notebooks=notebooks,
        schedule=placed.schedule,
        checks=placed.assignment.checks,
        attempts_left=None if allowed is None else max(0, allowed - used),
        submitted_at=submitted_at,
    )


def _notebooks(session: Session, releases: set[str]) -> dict[str, tuple[str, ...]]:
    """The student's notebooks of each release, in the release's order."""
    found: dict[str, list[str]] = {release: [] for release in releases}
    rows = session.execute(
        select(ReleaseFileRow.release_id, ReleaseFileRow.path)
        .where(ReleaseFileRow.release_id.in_(releases), ReleaseFileRow.namespace == "student")
        .order_by(ReleaseFileRow.position)
    )
    for release, path in rows:
        if path.endswith(".ipynb"):
            found[release].append(path)
    return {release: tuple(paths) for release, paths in found.items()}


def _opened(session: Session, person: UUID, assignments: set[UUID]) -> set[UUID]:
    return set(
        session.scalars(
            select(OpeningRow.assignment_id).where(
                OpeningRow.person_id == person, OpeningRow.assignment_id.in_(assignments)
            )
        )
    )


def _submitted(session: Session, person: UUID, assignments: set[UUID]) -> dict[UUID, datetime]:
    """When each assignment was last handed in."""
    rows = session.execute(
        select(SubmissionRow.assignment_id, func.max(SubmissionRow.received_at))
        .where(
            SubmissionRow.person_id == person,
            SubmissionRow.assignment_id.in_(assignments),
            SubmissionRow.kind == Kind.SUBMISSION.value,
        )
        .group_by(SubmissionRow.assignment_id)
    )
    return {assignment: at for assignment, at in rows}


def _awards(session: Session, member: Membership) -> tuple[OutlineAward, ...]:
    """The course's achievements in its order; one that was earned counts as reached, whatever its rule says by now."""
    person, classroom = member.person.id, member.classroom.id
    earned = {
        slug: at
        for slug, at in session.execute(
            select(AwardRow.achievement, AwardRow.earned_at).where(
                AwardRow.person_id == person, AwardRow.classroom_id == classroom
            )
        )
    }
    facts = facts_of(session, classroom, person)
    shown = []
    for achievement in achievements_of(version_in_force(session, classroom)):
        reached = reach(facts, achievement)
        at = earned.get(achievement.slug)
        shown.append(
            OutlineAward(
                achievement, at, reached.needed if at else min(reached.reached, reached.needed), reached.needed
            )
        )
    return tuple(shown)
