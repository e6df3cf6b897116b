"""Work arrives: durable, queued and told of in one transaction, however often it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.ids import content_hash, sha256
from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.roles import Permission, may
from pmh_jupyter.domain.work import Kind, NewWork, Work, WorkState
from pmh_jupyter.errors import BadInput, Conflict, NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_new
from pmh_jupyter.storage.log import NewEvent, append
from pmh_jupyter.storage.records.lessons import require_release
from pmh_jupyter.storage.records.limits import grading_key
from pmh_jupyter.storage.records.lookup import Placed, exercises_of, find_lesson, find_membership, lock_member
from pmh_jupyter.storage.records.reading_work import load_work
from pmh_jupyter.storage.records.turns import PRIORITY, NewJob, enqueue
from pmh_jupyter.storage.tables.classrooms import AssignmentRow
from pmh_jupyter.storage.tables.courses import LessonRow
from pmh_jupyter.storage.tables.work import SubmissionFileRow, SubmissionRow

Sign = Callable[[Mapping[str, str]], Mapping[str, Any]]


def receive(database: Database, new: NewWork, sign: Sign) -> Work:
    """Takes in a check or a submission and returns it; a repeat (same id, same person) returns what is there and changes nothing.

    `sign` makes a submission's receipt of its fields (all text: submission, person, classroom, lesson, release, content_hash,
    received_at); it is kept in the same transaction. Raises NotFound (classroom, lesson), BadInput (exercises or paths), Conflict
    (not open, closed, no attempts left, foreign release, an id that other work has), Unavailable (disk full, database away).
    """
    with database.read() as session:
        known = _known(session, new)
        if known:
            return known
        _admit(session, database, new)  # refused work must not fill the disk
    database.blobs.stage("work", (file.content for file in new.files))
    with database.write() as session:
        member = find_membership(session, new.person, new.classroom)
        lock_member(session, member.id)
        known = _known(session, new)
        if known:
            return known
        placed = _admit(session, database, new)
        _write(session, database, new, placed, sign, database.now())
        data = {"work": str(new.id), "kind": new.kind.value, "lesson": new.lesson, "exercises": list(new.exercises)}
        append(
            session,
            member.classroom.id,
            [NewEvent(EventKind.WORK_RECEIVED, new.person, data)],
            database.now(),
        )
        return load_work(session, [new.id])[0]


def get_work(database: Database, work: UUID, person: UUID) -> Work:
    """A person's own work; raises NotFound, the same for another's."""
    with database.read() as session:
        found = load_work(session, [work])
        if not found or found[0].person != person:
            raise NotFound("There is no such work of yours.")
        return found[0]


def own_work(
    database: Database, person: UUID, classroom: str, lesson: str | None = None, limit: int = 100
) -> tuple[Work, ...]:
    """A person's newest work in a classroom, newest first; raises NotFound."""
    with database.read() as session:
        member = find_membership(session, person, classroom)
        return newest_work(session, member, lesson, limit)


def newest_work(session: Session, member: Membership, lesson: str | None, limit: int) -> tuple[Work, ...]:
    """A member's newest work; for other records."""
    wanted = (
        select(SubmissionRow.id)
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(AssignmentRow.classroom_id == member.classroom.id, SubmissionRow.person_id == member.person.id)
        .order_by(SubmissionRow.received_at.desc(), SubmissionRow.id)
        .limit(limit)
    )
    if lesson is not None:
        wanted = wanted.where(LessonRow.slug == lesson)
    return load_work(session, session.scalars(wanted).all())


def _known(session: Session, new: NewWork) -> Work | None:
    """The work that an earlier sending made; raises Conflict when the id is that of other work."""
    found = load_work(session, [new.id])
    if not found:
        return None
    known = found[0]
    sent = (new.person, new.kind, new.classroom, new.lesson, new.release, content_hash(new.files))
    if (known.person, known.kind, known.classroom, known.lesson, known.release, known.content_hash) != sent:
        raise Conflict("This work's id is already used for other work.", advice="Send it again under a new id.")
    return known


def _admit(session: Session, database: Database, new: NewWork) -> Placed:
    """The lesson that the work is for; raises what `receive` says."""
    member = find_membership(session, new.person, new.classroom)
    placed = find_lesson(session, member.classroom.id, new.lesson)
    require_release(session, placed, new.release)
    _require_known(session, new)
    if not may(member.role, Permission.SEE_BOARD):  # staff try lessons whenever they like
        _require_open(placed, database.now())
        _require_attempt(session, placed, new)
    return placed


def _require_known(session: Session, new: NewWork) -> None:
    known = {exercise.grade_id for exercise in exercises_of(session, {new.release})[new.release]}
    unknown = sorted(set(new.exercises) - known)
    if unknown:
        raise BadInput(f"The lesson has no exercise {', '.join(unknown)}.", advice="Open the lesson again.")
    if len({file.path for file in new.files}) != len(new.files):
        raise BadInput("Two files have the same path.")
    if any("\0" in file.path for file in new.files):
        raise BadInput("A file's path holds a NUL character.")


def _require_open(placed: Placed, now: datetime) -> None:
    schedule = placed.schedule
    if schedule.opens_at and now < schedule.opens_at:
        raise Conflict(f"The lesson opens at {schedule.opens_at:%Y-%m-%d %H:%M} UTC.", advice="Come back then.")
    if schedule.closes_at and now >= schedule.closes_at:
        raise Conflict(
            f"The lesson closed at {schedule.closes_at:%Y-%m-%d %H:%M} UTC.",
            advice="Your files stay with you; ask your instructor if they should still count.",
        )


def _require_attempt(session: Session, placed: Placed, new: NewWork) -> None:
    allowed = placed.assignment.attempts
    if new.kind is Kind.CHECK or allowed is None:
        return
    if used_attempts(session, new.person, {placed.assignment.id}).get(placed.assignment.id, 0) >= allowed:
        raise Conflict(f"All {allowed} submissions of this lesson are used.", advice="What you handed in stays.")


def used_attempts(session: Session, person: UUID, assignments: set[UUID]) -> dict[UUID, int]:
    """Submissions by assignment, without those that failed through our fault; for other records."""
    rows = session.execute(
        select(SubmissionRow.assignment_id, func.count())
        .where(
            SubmissionRow.person_id == person,
            SubmissionRow.assignment_id.in_(assignments),
            SubmissionRow.kind == Kind.SUBMISSION.value,
            SubmissionRow.state != WorkState.FAILED.value,
        )
        .group_by(SubmissionRow.assignment_id)
    )
    return {assignment: count for assignment, count in rows}


def _write(session: Session, database: Database, new: NewWork, placed: Placed, sign: Sign, now: datetime) -> None:
    """The work, its files and its job."""
    digest = content_hash(new.files)
    inserted = insert_new(
        session,
        SubmissionRow,
        id=new.id,
        kind=new.kind.value,
        assignment_id=placed.assignment.id,
        person_id=new.person,
        release_id=new.release,
        exercises=list(new.exercises),
        content_hash=digest,
        received_at=now,
        state=WorkState.QUEUED.value,
        receipt=dict(sign(_receipt_fields(new, digest, now))) if new.kind is Kind.SUBMISSION else None,
        healed=[],
        flags=[],
    )
    if not inserted:  # another person's work took the id since we looked
        raise Conflict("This work's id is already used for other work.", advice="Send it again under a new id.")
    database.blobs.store(session, "work", (file.content for file in new.files))
    for file in new.files:
        session.add(SubmissionFileRow(submission_id=new.id, path=file.path, sha256=sha256(file.content)))
    key = grading_key(placed.assignment, new.grader)
    job = NewJob(new.id, new.release, key, placed.assignment.classroom_id, PRIORITY[new.kind], new.request_id)
    enqueue(session, job, now)
    session.flush()


def _receipt_fields(new: NewWork, digest: str, now: datetime) -> dict[str, str]:
    return {
        "submission": str(new.id),
        "person": str(new.person),
        "classroom": new.classroom,
        "lesson": new.lesson,
        "release": new.release,
        "content_hash": digest,
        "received_at": now.isoformat(),
    }
