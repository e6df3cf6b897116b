"""The gradebook of a classroom, and submissions of a member. Does not check permissions: the caller has done so."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, func
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.gradebook import Gradebook, GradebookCell, GradebookColumn, GradebookRow
from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.submission import MemberSubmission
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.progress_queries import load_person_attempts
from pmh_jupyter.storage.records.shared_queries import (
    MembershipRow,
    find_classroom_row,
    find_membership,
    load_assigned_lessons,
    load_exercises,
    select_memberships,
    to_membership,
)
from pmh_jupyter.storage.records.submission_queries import load_newest_submissions
from pmh_jupyter.storage.tables.classrooms import MemberRow
from pmh_jupyter.storage.tables.people import PersonRow

MEMBERS_PER_PAGE = 50


def load_gradebook(database: Database, classroom: str, page: int = 1, name_contains: str = "") -> Gradebook:
    """Return one page of members, ordered by name, with their progress in each exercise.

    page: counts from 1. name_contains: only members whose name contains this string, in upper or lower case.
    Raises NotFound for an unknown classroom or page.
    """
    with database.begin_read() as session:
        classroom_id = find_classroom_row(session, classroom).id
        query = select_memberships().where(
            MemberRow.classroom_id == classroom_id, PersonRow.name.icontains(name_contains, autoescape=True)
        )
        member_count = session.scalar(query.with_only_columns(func.count())) or 0
        page_count = max(1, -(-member_count // MEMBERS_PER_PAGE))
        if not 1 <= page <= page_count:
            raise NotFound(f"The gradebook has no page {page}.", advice="Open page 1.")
        columns = _load_columns(session, classroom_id)
        members = _load_page(session, query, page)
        return Gradebook(
            classroom=classroom,
            columns=tuple(column for column, _ in columns),
            rows=_load_rows(session, classroom_id, members, columns),
            page=page,
            page_count=page_count,
        )


def list_member_submissions(database: Database, classroom: str, person_id: UUID) -> tuple[MemberSubmission, ...]:
    """Return a member's newest submissions in a classroom, newest first, at most MAX_LISTED_SUBMISSIONS.

    Raises NotFound if the person is not a member.
    """
    with database.begin_read() as session:
        member = find_membership(session, person_id, classroom)
        return tuple(
            MemberSubmission(member.person, submission) for submission in load_newest_submissions(session, member)
        )


def load_lesson_titles(database: Database, classroom: str) -> dict[str, str]:
    """Return the titles of a classroom's lessons by slug. Raises NotFound for an unknown classroom."""
    with database.begin_read() as session:
        assigned_lessons = load_assigned_lessons(session, find_classroom_row(session, classroom).id)
        return {assigned_lesson.slug: assigned_lesson.title for assigned_lesson in assigned_lessons}


def _load_columns(session: Session, classroom_id: UUID) -> list[tuple[GradebookColumn, Exercise]]:
    assigned_lessons = load_assigned_lessons(session, classroom_id)
    exercises = load_exercises(session, {assigned_lesson.release_id for assigned_lesson in assigned_lessons})
    return [
        (
            GradebookColumn(
                assigned_lesson.slug, assigned_lesson.title, exercise.grade_id, exercise.title, exercise.max_millipoints
            ),
            exercise,
        )
        for assigned_lesson in assigned_lessons
        for exercise in exercises[assigned_lesson.release_id]
    ]


def _load_page(session: Session, query: Select[*MembershipRow], page: int) -> tuple[Membership, ...]:
    rows = session.execute(query.order_by(PersonRow.name).limit(MEMBERS_PER_PAGE).offset((page - 1) * MEMBERS_PER_PAGE))
    return tuple(to_membership(*row) for row in rows)


def _load_rows(
    session: Session,
    classroom_id: UUID,
    members: tuple[Membership, ...],
    columns: list[tuple[GradebookColumn, Exercise]],
) -> tuple[GradebookRow, ...]:
    attempts_by_person = load_person_attempts(session, classroom_id, [member.person.id for member in members])
    return tuple(
        GradebookRow(
            member.person,
            member.role,
            tuple(
                GradebookCell(
                    progress=attempts_by_person[member.person.id].compute_progress(column.lesson, exercise),
                    submission_id=attempts_by_person[member.person.id].find_newest_submission_id(
                        column.lesson, exercise
                    ),
                )
                for column, exercise in columns
            ),
        )
        for member in members
    )
