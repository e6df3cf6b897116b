"""What follows from a grading, in the transaction that ends its job: verdicts, attempts, ledger, event, awards.

Not for use outside of `storage`; `records.jobs.complete` is the way in.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pmh_jupyter.domain.achievements import reach
from pmh_jupyter.domain.course import Achievement
from pmh_jupyter.domain.events import EventKind, Graded
from pmh_jupyter.domain.ledger import EntryKind
from pmh_jupyter.domain.progress import answered, counts
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.domain.work import Kind, WorkState
from pmh_jupyter.storage.dialect import insert_new
from pmh_jupyter.storage.log import NewEvent, append
from pmh_jupyter.storage.records.facts import keep_facts
from pmh_jupyter.storage.records.lookup import (
    achievements_of,
    exercises_of,
    lock_member,
    to_attempt,
    version_in_force,
)
from pmh_jupyter.storage.records.turns import REGRADE
from pmh_jupyter.storage.tables.classrooms import AssignmentRow, ClassroomRow, MemberRow
from pmh_jupyter.storage.tables.courses import CourseRow, CourseVersionRow, LessonRow
from pmh_jupyter.storage.tables.results import AttemptRow, AwardRow, LedgerRow, VerdictRow
from pmh_jupyter.storage.tables.work import JobRow, SubmissionRow
from pmh_jupyter.storage.verdicts import flag_to_json, message_to_json, verdict_to_json


def record_grading(session: Session, job: JobRow, grading: Grading, now: datetime) -> None:
    """Ends a job with a grading. The caller holds the job's row.

    A regrade that failed leaves everything as it was, and can be asked for again.
    """
    regrade = job.priority == REGRADE
    if regrade and grading.fault:
        session.delete(job)
        return
    job.seed, job.graded_by = grading.seed, grading.grader or None
    work = session.get_one(SubmissionRow, job.submission_id)
    assignment, lesson = _place(session, work)
    member = _member(session, assignment.classroom_id, work.person_id)
    # Two gradings of one person at once would each miss what the other adds to an award or to the ledger.
    lock_member(session, member)
    job.state, job.worker, job.lease_until = "done", None, None
    state = _close(work, grading, now)
    course, version = _version(session, assignment.classroom_id)
    attempts = _write_verdicts(session, job, work, grading)
    if regrade:
        _replace(session, work, attempts)
    if work.kind == Kind.SUBMISSION:
        _enter(session, member, work, attempts, now)
    graded = Graded(
        work=work.id,
        kind=Kind(work.kind),
        lesson=lesson,
        state=state.value,
        received_at=work.received_at,
        course=course,
        version=version,
        exercises=_decidable(session, work.release_id),
        attempts=tuple(to_attempt(row, lesson) for row in attempts),
    )
    told = NewEvent(EventKind.WORK_GRADED, work.person_id, graded.to_data(), day_of=work.received_at)
    append(session, assignment.classroom_id, [told], now)
    if attempts:
        _award(session, assignment.classroom_id, work.person_id, now)


def _place(session: Session, work: SubmissionRow) -> tuple[AssignmentRow, str]:
    return session.execute(
        select(AssignmentRow, LessonRow.slug)
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(AssignmentRow.id == work.assignment_id)
    ).one()


def _member(session: Session, classroom: UUID, person: UUID) -> UUID:
    return session.scalars(
        select(MemberRow.id).where(MemberRow.classroom_id == classroom, MemberRow.person_id == person)
    ).one()


def _version(session: Session, classroom: UUID) -> tuple[str, int]:
    """Slug and number of the course version in force."""
    return session.execute(
        select(CourseRow.slug, CourseVersionRow.number)
        .join(CourseVersionRow, CourseVersionRow.course_id == CourseRow.id)
        .join(ClassroomRow, ClassroomRow.version_id == CourseVersionRow.id)
        .where(ClassroomRow.id == classroom)
    ).one()


def _close(work: SubmissionRow, grading: Grading, now: datetime) -> WorkState:
    state = WorkState.FAILED if grading.fault else WorkState.GRADED
    work.state, work.graded_at, work.seconds = state.value, now, grading.seconds
    work.healed = [message_to_json(message) for message in grading.healed]
    work.flags = [flag_to_json(flag) for flag in grading.flags]
    work.fault = message_to_json(grading.fault) if grading.fault else None
    return state


def _write_verdicts(session: Session, job: JobRow, work: SubmissionRow, grading: Grading) -> list[AttemptRow]:
    """Writes every verdict, and returns those that count as attempts: of the exercises named, and judged."""
    attempts = []
    for position, verdict in enumerate(grading.verdicts):
        row = VerdictRow(
            id=uuid4(),
            job_id=job.id,
            submission_id=work.id,
            grade_id=verdict.grade_id,
            position=position,
            body=verdict_to_json(verdict),
        )
        session.add(row)
        named = not work.exercises or verdict.grade_id in work.exercises
        if grading.fault or not named or not counts(verdict.outcome):
            continue
        attempts.append(
            AttemptRow(
                id=uuid4(),
                verdict_id=row.id,
                submission_id=work.id,
                person_id=work.person_id,
                assignment_id=work.assignment_id,
                grade_id=verdict.grade_id,
                kind=work.kind,
                outcome=verdict.outcome.value,
                millipoints=verdict.millipoints,
                max_millipoints=verdict.max_millipoints,
                answered=answered(verdict),
                received_at=work.received_at,
            )
        )
    session.flush()
    session.add_all(attempts)
    session.flush()
    return attempts


def _replace(session: Session, work: SubmissionRow, attempts: list[AttemptRow]) -> None:
    """The attempts of a regrade stand in the place of those that the same work had: it is not one more try."""
    for attempt in attempts:
        session.execute(
            update(AttemptRow)
            .where(
                AttemptRow.assignment_id == work.assignment_id,
                AttemptRow.person_id == work.person_id,
                AttemptRow.submission_id == work.id,
                AttemptRow.grade_id == attempt.grade_id,
                AttemptRow.replaced_by.is_(None),
                AttemptRow.id != attempt.id,
            )
            .values(replaced_by=attempt.id)
        )


def _enter(session: Session, member: UUID, work: SubmissionRow, attempts: list[AttemptRow], now: datetime) -> None:
    """Enters a submission's attempts into the ledger; the submission that arrived last counts, whichever is graded last."""
    standing = {
        row.grade_id: (row.number, received_at)
        for row, received_at in session.execute(
            select(LedgerRow, AttemptRow.received_at)
            .join(AttemptRow, AttemptRow.id == LedgerRow.attempt_id)
            .where(
                LedgerRow.member_id == member,
                LedgerRow.assignment_id == work.assignment_id,
                LedgerRow.kind == EntryKind.VERDICT.value,
            )
            .order_by(LedgerRow.number)
        )
    }
    for attempt in attempts:
        number, received_at = standing.get(attempt.grade_id, (None, None))
        if received_at and received_at > work.received_at:
            continue
        session.add(
            LedgerRow(
                member_id=member,
                assignment_id=work.assignment_id,
                grade_id=attempt.grade_id,
                kind=EntryKind.VERDICT.value,
                millipoints=attempt.millipoints,
                reason="graded",
                attempt_id=attempt.id,
                supersedes=number,
                at=now,
            )
        )
    session.flush()


def _decidable(session: Session, release: str) -> tuple[str, ...]:
    """The exercises that a grader can decide: what a lesson needs to be complete."""
    return tuple(one.grade_id for one in exercises_of(session, {release})[release] if not one.manual)


def _award(session: Session, classroom: UUID, person: UUID, now: datetime) -> None:
    """Gives what the person's events now earn; each achievement once."""
    facts = keep_facts(session, classroom, person)
    given = []
    for achievement in achievements_of(version_in_force(session, classroom)):
        if not reach(facts, achievement).earned:
            continue
        key = {"person_id": person, "classroom_id": classroom, "achievement": achievement.slug}
        if insert_new(session, AwardRow, id=uuid4(), **key, earned_at=now):
            given.append(NewEvent(EventKind.AWARD_EARNED, person, _award_data(achievement)))
    append(session, classroom, given, now)


def _award_data(achievement: Achievement) -> dict[str, str]:
    return {
        "award": achievement.slug,
        "title": achievement.title,
        "description": achievement.description,
        "icon": achievement.icon,
    }
