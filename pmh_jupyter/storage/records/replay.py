"""Progress and awards once more, from nothing but the events: what they tell must be all that there is to know."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.achievements import find_earned_achievements
from pmh_jupyter.domain.course import Achievement
from pmh_jupyter.domain.events import Event, EventKind, SubmissionGradedData
from pmh_jupyter.domain.outline import MemberProgress
from pmh_jupyter.domain.progress import Attempt, ExerciseProgress, compute_exercise_progress
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.event_log import to_event
from pmh_jupyter.storage.records.progress_queries import ExerciseKey, load_person_attempts
from pmh_jupyter.storage.records.shared_queries import classroom_not_found_error, to_achievements
from pmh_jupyter.storage.tables.classrooms import ClassroomRow, MemberRow
from pmh_jupyter.storage.tables.courses import CourseRow, CourseVersionRow
from pmh_jupyter.storage.tables.results import AwardRow, EventRow


def load_member_progress(database: Database, classroom: str) -> MemberProgress:
    """What attempts and awards say of everybody in a classroom; raises NotFound."""
    with database.read() as session:
        classroom_row = _find_classroom(session, classroom)
        person_ids = session.scalars(
            select(MemberRow.person_id).where(MemberRow.classroom_id == classroom_row.id)
        ).all()
        attempts_by_person = load_person_attempts(session, classroom_row.id, person_ids)
        progress = {
            person: {
                exercise_key: compute_exercise_progress(attempts)
                for exercise_key, attempts in attempts_by_person[person].attempts.items()
            }
            for person in person_ids
            if attempts_by_person[person].attempts
        }
        awards: dict[UUID, dict[str, datetime]] = defaultdict(dict)
        for row in session.scalars(select(AwardRow).where(AwardRow.classroom_id == classroom_row.id)):
            awards[row.person_id][row.achievement] = row.earned_at
        return MemberProgress(progress, dict(awards))


def replay_events(database: Database, classroom: str) -> MemberProgress:
    """What the events say of everybody in a classroom; it equals `standing`. Raises NotFound."""
    with database.read() as session:
        return _replay(session, _find_classroom(session, classroom))


def rebuild_awards_from_events(database: Database, classroom: str) -> MemberProgress:
    """Writes the awards of a classroom anew from its events, and returns what they say; raises NotFound."""
    with database.write() as session:
        classroom_row = _find_classroom(session, classroom, lock=True)
        rebuilt = _replay(session, classroom_row)
        session.execute(delete(AwardRow).where(AwardRow.classroom_id == classroom_row.id))
        for person, awards in rebuilt.awards.items():
            for slug, earned_at in awards.items():
                key_columns = {"person_id": person, "classroom_id": classroom_row.id, "achievement": slug}
                session.add(AwardRow(id=uuid4(), **key_columns, earned_at=earned_at))
        return rebuilt


def _find_classroom(session: Session, slug: str, *, lock: bool = False) -> ClassroomRow:
    """The classroom; `hold` keeps it until the end of the transaction, so that no event is added meanwhile."""
    query = select(ClassroomRow).where(ClassroomRow.slug == slug)
    classroom_row = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if classroom_row is None:
        raise classroom_not_found_error(slug)
    return classroom_row


def _replay(session: Session, classroom_row: ClassroomRow) -> MemberProgress:
    achievements = _load_achievements(session)
    progress, awards = {}, {}
    for person, events in _load_events_by_person(session, classroom_row).items():
        exercises = _replay_progress(events)
        if exercises:
            progress[person] = exercises
        earned_times = {
            achievement.slug: event.occurred_at for achievement, event in find_earned_achievements(events, achievements)
        }
        if earned_times:
            awards[person] = earned_times
    return MemberProgress(progress, awards)


def _load_achievements(session: Session) -> dict[tuple[str, int], tuple[Achievement, ...]]:
    """Those of every course version, by slug and number: a classroom may have changed its course."""
    rows = session.execute(
        select(CourseRow.slug, CourseVersionRow).join(CourseRow, CourseRow.id == CourseVersionRow.course_id)
    )
    return {(slug, version.number): to_achievements(version) for slug, version in rows}


def _load_events_by_person(session: Session, classroom_row: ClassroomRow) -> dict[UUID, list[Event]]:
    events_by_person: dict[UUID, list[Event]] = defaultdict(list)
    rows = session.scalars(
        select(EventRow)
        .where(EventRow.classroom_id == classroom_row.id, EventRow.kind == EventKind.SUBMISSION_GRADED.value)
        .order_by(EventRow.number)
    )
    for row in rows:
        if row.person_id is not None:
            events_by_person[row.person_id].append(to_event(row))
    return events_by_person


def _replay_progress(events: list[Event]) -> dict[ExerciseKey, ExerciseProgress]:
    attempts: dict[ExerciseKey, dict[UUID, Attempt]] = defaultdict(dict)
    for event in events:
        for attempt in SubmissionGradedData.from_event(event).attempts:
            # The same work graded again is no further try.
            attempts[attempt.lesson, attempt.grade_id][attempt.submission_id] = attempt
    return {
        exercise_key: compute_exercise_progress(by_submission.values())
        for exercise_key, by_submission in attempts.items()
    }
