"""Test oracle: progress and awards of a classroom, once from the tables and once from nothing but its events. Both must be equal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.achievements import AchievementCounters, measure_progress
from pmh_jupyter.domain.course import Achievement
from pmh_jupyter.domain.events import Event, EventKind, SubmissionGradedData
from pmh_jupyter.domain.progress import Attempt, ExerciseProgress, compute_exercise_progress
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.event_log import to_event
from pmh_jupyter.storage.records.progress_queries import ExerciseKey, load_person_attempts
from pmh_jupyter.storage.records.shared_queries import to_achievements
from pmh_jupyter.storage.tables.classrooms import ClassroomRow, MemberRow
from pmh_jupyter.storage.tables.courses import CourseRow, CourseVersionRow
from pmh_jupyter.storage.tables.results import AwardRow, EventRow


@dataclass(frozen=True)
class MemberProgress:
    """Progress by person and exercise, and the time of each award by person and achievement; only people who have any."""

    progress: Mapping[UUID, Mapping[ExerciseKey, ExerciseProgress]]
    awards: Mapping[UUID, Mapping[str, datetime]]


def load_member_progress(database: Database, classroom: str) -> MemberProgress:
    """Progress and awards as the tables have them."""
    with database.begin_read() as session:
        classroom_id = _find_classroom_id(session, classroom)
        person_ids = session.scalars(select(MemberRow.person_id).where(MemberRow.classroom_id == classroom_id)).all()
        progress = {
            person_id: {key: compute_exercise_progress(attempts) for key, attempts in person.attempts.items()}
            for person_id, person in load_person_attempts(session, classroom_id, person_ids).items()
            if person.attempts
        }
        awards: dict[UUID, dict[str, datetime]] = defaultdict(dict)
        for row in session.scalars(select(AwardRow).where(AwardRow.classroom_id == classroom_id)):
            awards[row.person_id][row.achievement] = row.earned_at
        return MemberProgress(progress, dict(awards))


def replay_events(database: Database, classroom: str) -> MemberProgress:
    """Progress and awards as the events have them."""
    with database.begin_read() as session:
        achievements = _load_achievements(session)
        progress, awards = {}, {}
        for person_id, events in _load_events_by_person(session, _find_classroom_id(session, classroom)).items():
            exercises = _replay_progress(events)
            if exercises:
                progress[person_id] = exercises
            earned = find_earned_achievements(events, achievements)
            if earned:
                awards[person_id] = {achievement.slug: event.occurred_at for achievement, event in earned}
        return MemberProgress(progress, awards)


def find_earned_achievements(
    events: Iterable[Event], achievements: Mapping[tuple[str, int], tuple[Achievement, ...]]
) -> tuple[tuple[Achievement, Event], ...]:
    """Return all achievements that one person has earned, with the event that earned them, in order, each slug once.

    achievements: those of every course version, by course slug and version number.
    """
    counters = AchievementCounters()
    earned_by_slug: dict[str, tuple[Achievement, Event]] = {}
    for event in events:
        if event.kind is not EventKind.SUBMISSION_GRADED:
            continue
        counters.add(event)
        graded = SubmissionGradedData.from_event(event)
        for achievement in achievements[graded.course, graded.course_version]:
            if achievement.slug not in earned_by_slug and measure_progress(counters, achievement).is_earned:
                earned_by_slug[achievement.slug] = (achievement, event)
    return tuple(earned_by_slug.values())


def collect_counters(events: Iterable[Event]) -> AchievementCounters:
    """Return the counters after all events of one person."""
    counters = AchievementCounters()
    for event in events:
        counters.add(event)
    return counters


def _find_classroom_id(session: Session, slug: str) -> UUID:
    return session.scalars(select(ClassroomRow.id).where(ClassroomRow.slug == slug)).one()


def _load_achievements(session: Session) -> dict[tuple[str, int], tuple[Achievement, ...]]:
    """Achievements by course slug and version number."""
    rows = session.execute(
        select(CourseRow.slug, CourseVersionRow).join(CourseRow, CourseRow.id == CourseVersionRow.course_id)
    )
    return {(slug, version.number): to_achievements(version) for slug, version in rows}


def _load_events_by_person(session: Session, classroom_id: UUID) -> dict[UUID, list[Event]]:
    events_by_person: dict[UUID, list[Event]] = defaultdict(list)
    rows = session.scalars(
        select(EventRow)
        .where(EventRow.classroom_id == classroom_id, EventRow.kind == EventKind.SUBMISSION_GRADED.value)
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
            # A regrade of the same submission is not a further attempt.
            attempts[attempt.lesson, attempt.grade_id][attempt.submission_id] = attempt
    return {key: compute_exercise_progress(by_submission.values()) for key, by_submission in attempts.items()}
