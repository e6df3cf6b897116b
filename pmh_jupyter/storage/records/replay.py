"""Progress and awards once more, from nothing but the events: what they tell must be all that there is to know."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.achievements import earned_by
from pmh_jupyter.domain.course import Achievement
from pmh_jupyter.domain.events import Event, EventKind, Graded
from pmh_jupyter.domain.outline import Standing
from pmh_jupyter.domain.progress import Attempt, ExerciseProgress, exercise_progress
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.log import to_event
from pmh_jupyter.storage.records.lookup import achievements_of, no_classroom
from pmh_jupyter.storage.records.standing import Place, done_by
from pmh_jupyter.storage.tables.classrooms import ClassroomRow, MemberRow
from pmh_jupyter.storage.tables.courses import CourseRow, CourseVersionRow
from pmh_jupyter.storage.tables.results import AwardRow, EventRow


def standing(database: Database, classroom: str) -> Standing:
    """What attempts and awards say of everybody in a classroom; raises NotFound."""
    with database.read() as session:
        room = _find(session, classroom)
        people = session.scalars(select(MemberRow.person_id).where(MemberRow.classroom_id == room.id)).all()
        done = done_by(session, room.id, people)
        progress = {
            person: {place: exercise_progress(attempts) for place, attempts in done[person].attempts.items()}
            for person in people
            if done[person].attempts
        }
        awards: dict[UUID, dict[str, datetime]] = defaultdict(dict)
        for row in session.scalars(select(AwardRow).where(AwardRow.classroom_id == room.id)):
            awards[row.person_id][row.achievement] = row.earned_at
        return Standing(progress, dict(awards))


def replay(database: Database, classroom: str) -> Standing:
    """What the events say of everybody in a classroom; it equals `standing`. Raises NotFound."""
    with database.read() as session:
        return _fold(session, _find(session, classroom))


def rebuild_awards(database: Database, classroom: str) -> Standing:
    """Writes the awards of a classroom anew from its events, and returns what they say; raises NotFound."""
    with database.write() as session:
        room = _find(session, classroom, hold=True)
        rebuilt = _fold(session, room)
        session.execute(delete(AwardRow).where(AwardRow.classroom_id == room.id))
        for person, awards in rebuilt.awards.items():
            for slug, at in awards.items():
                key = {"person_id": person, "classroom_id": room.id, "achievement": slug}
                session.add(AwardRow(id=uuid4(), **key, earned_at=at))
        return rebuilt


def _find(session: Session, slug: str, *, hold: bool = False) -> ClassroomRow:
    """The classroom; `hold` keeps it until the end of the transaction, so that no event is added meanwhile."""
    wanted = select(ClassroomRow).where(ClassroomRow.slug == slug)
    room = session.scalars(wanted.with_for_update() if hold else wanted).one_or_none()
    if room is None:
        raise no_classroom(slug)
    return room


def _fold(session: Session, room: ClassroomRow) -> Standing:
    achievements = _achievements(session)
    progress, awards = {}, {}
    for person, events in _events_by_person(session, room).items():
        places = _progress(events)
        if places:
            progress[person] = places
        earned = {achievement.slug: event.at for achievement, event in earned_by(events, achievements)}
        if earned:
            awards[person] = earned
    return Standing(progress, awards)


def _achievements(session: Session) -> dict[tuple[str, int], tuple[Achievement, ...]]:
    """Those of every course version, by slug and number: a classroom may have changed its course."""
    rows = session.execute(
        select(CourseRow.slug, CourseVersionRow).join(CourseRow, CourseRow.id == CourseVersionRow.course_id)
    )
    return {(slug, version.number): achievements_of(version) for slug, version in rows}


def _events_by_person(session: Session, room: ClassroomRow) -> dict[UUID, list[Event]]:
    found: dict[UUID, list[Event]] = defaultdict(list)
    rows = session.scalars(
        select(EventRow)
        .where(EventRow.classroom_id == room.id, EventRow.kind == EventKind.WORK_GRADED.value)
        .order_by(EventRow.number)
    )
    for row in rows:
        if row.person_id is not None:
            found[row.person_id].append(to_event(row))
    return found


def _progress(events: list[Event]) -> dict[Place, ExerciseProgress]:
    attempts: dict[Place, dict[UUID, Attempt]] = defaultdict(dict)
    for event in events:
        for attempt in Graded.of(event).attempts:
            # The same work graded again is no further try.
            attempts[attempt.lesson, attempt.grade_id][attempt.work] = attempt
    return {place: exercise_progress(tries.values()) for place, tries in attempts.items()}
