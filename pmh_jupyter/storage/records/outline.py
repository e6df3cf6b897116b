"""The outline of a classroom for one member. The number of queries does not depend on the size of the course."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.achievements import measure_progress
from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.outline import Outline, OutlineAchievement, OutlineExercise, OutlineLesson
from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.progress import compute_lesson_state
from pmh_jupyter.domain.submission import CheckedTests, SubmissionKind
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.achievement_counters import load_counters
from pmh_jupyter.storage.records.progress_queries import PersonAttempts, load_person_attempts
from pmh_jupyter.storage.records.shared_queries import (
    AssignedLesson,
    find_adopted_version,
    find_membership,
    load_assigned_lessons,
    load_exercises,
    to_achievements,
)
from pmh_jupyter.storage.records.submission_queries import count_final_submissions
from pmh_jupyter.storage.tables.classrooms import ClassroomRow, OpenedReleaseRow
from pmh_jupyter.storage.tables.courses import ReleaseFileRow
from pmh_jupyter.storage.tables.results import AwardRow
from pmh_jupyter.storage.tables.submissions import SubmissionRow


def load_outline(database: Database, person_id: UUID, classroom: str) -> Outline:
    """Return everything that the panel shows of a classroom. Raises NotFound if the person is not a member."""
    with database.begin_read() as session:
        member = find_membership(session, person_id, classroom)
        return Outline(
            membership=member,
            lessons=_load_lessons(session, member),
            achievements=_load_achievements(session, member),
            last_event_number=session.scalars(
                select(ClassroomRow.last_event).where(ClassroomRow.id == member.classroom.id)
            ).one(),
        )


def _load_lessons(session: Session, member: Membership) -> tuple[OutlineLesson, ...]:
    person_id = member.person.id
    assigned_lessons = load_assigned_lessons(session, member.classroom.id)
    release_ids = {assigned_lesson.release_id for assigned_lesson in assigned_lessons}
    assignment_ids = {assigned_lesson.assignment.id for assigned_lesson in assigned_lessons}
    exercises = load_exercises(session, release_ids)
    notebooks = _load_notebooks(session, release_ids)
    attempts = load_person_attempts(session, member.classroom.id, [person_id])[person_id]
    opened_assignments = _find_opened_assignments(session, person_id, assignment_ids)
    submission_counts = count_final_submissions(session, person_id, assignment_ids)
    last_submission_times = _load_last_submission_times(session, person_id, assignment_ids)
    return tuple(
        _to_outline_lesson(
            assigned_lesson,
            exercises[assigned_lesson.release_id],
            notebooks[assigned_lesson.release_id],
            attempts,
            is_opened=assigned_lesson.assignment.id in opened_assignments,
            submission_count=submission_counts.get(assigned_lesson.assignment.id, 0),
            submitted_at=last_submission_times.get(assigned_lesson.assignment.id),
        )
        for assigned_lesson in assigned_lessons
    )


def _to_outline_lesson(
    assigned_lesson: AssignedLesson,
    exercises: tuple[Exercise, ...],
    notebooks: tuple[str, ...],
    attempts: PersonAttempts,
    *,
    is_opened: bool,
    submission_count: int,
    submitted_at: datetime | None,
) -> OutlineLesson:
    outline_exercises = tuple(
        OutlineExercise(exercise, attempts.compute_progress(assigned_lesson.slug, exercise)) for exercise in exercises
    )
    max_submissions = assigned_lesson.assignment.max_submissions
    return OutlineLesson(
        slug=assigned_lesson.slug,
        title=assigned_lesson.title,
        unit=assigned_lesson.unit,
        release_id=assigned_lesson.release_id,
        state=compute_lesson_state(
            (outline_exercise.progress.state for outline_exercise in outline_exercises), is_opened=is_opened
        ),
        exercises=outline_exercises,
        notebooks=notebooks,
        schedule=assigned_lesson.schedule,
        check_tests=CheckedTests(assigned_lesson.assignment.check_tests),
        submissions_left=None if max_submissions is None else max(0, max_submissions - submission_count),
        submitted_at=submitted_at,
    )


def _load_notebooks(session: Session, release_ids: set[str]) -> dict[str, tuple[str, ...]]:
    """Return the paths of the student notebooks of each release, in the order of the release."""
    notebooks: dict[str, list[str]] = {release_id: [] for release_id in release_ids}
    rows = session.execute(
        select(ReleaseFileRow.release_id, ReleaseFileRow.path)
        .where(ReleaseFileRow.release_id.in_(release_ids), ReleaseFileRow.namespace == "student")
        .order_by(ReleaseFileRow.position)
    )
    for release_id, path in rows:
        if path.endswith(".ipynb"):
            notebooks[release_id].append(path)
    return {release_id: tuple(paths) for release_id, paths in notebooks.items()}


def _find_opened_assignments(session: Session, person_id: UUID, assignment_ids: set[UUID]) -> set[UUID]:
    return set(
        session.scalars(
            select(OpenedReleaseRow.assignment_id).where(
                OpenedReleaseRow.person_id == person_id, OpenedReleaseRow.assignment_id.in_(assignment_ids)
            )
        )
    )


def _load_last_submission_times(session: Session, person_id: UUID, assignment_ids: set[UUID]) -> dict[UUID, datetime]:
    """Return the time of the latest final submission of each assignment."""
    rows = session.execute(
        select(SubmissionRow.assignment_id, func.max(SubmissionRow.received_at))
        .where(
            SubmissionRow.person_id == person_id,
            SubmissionRow.assignment_id.in_(assignment_ids),
            SubmissionRow.kind == SubmissionKind.FINAL.value,
        )
        .group_by(SubmissionRow.assignment_id)
    )
    return {assignment_id: received_at for assignment_id, received_at in rows}


def _load_achievements(session: Session, member: Membership) -> tuple[OutlineAchievement, ...]:
    """Return the achievements of the course, in its order. An earned one stays complete even if its rule has changed since."""
    person_id, classroom_id = member.person.id, member.classroom.id
    earned_times = {
        slug: earned_at
        for slug, earned_at in session.execute(
            select(AwardRow.achievement, AwardRow.earned_at).where(
                AwardRow.person_id == person_id, AwardRow.classroom_id == classroom_id
            )
        )
    }
    counters = load_counters(session, classroom_id, person_id)
    achievements = []
    for achievement in to_achievements(find_adopted_version(session, classroom_id)):
        progress = measure_progress(counters, achievement)
        earned_at = earned_times.get(achievement.slug)
        achievements.append(
            OutlineAchievement(
                achievement,
                earned_at,
                progress.target if earned_at else progress.current,
                progress.target,
            )
        )
    return tuple(achievements)
