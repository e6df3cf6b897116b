"""What staff see: the board of a classroom, and a member's work. The caller has checked that they may."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.ledger import LedgerEntry, LedgerEntryKind, compute_grade
from pmh_jupyter.domain.outline import Gradebook, GradebookCell, GradebookColumn, GradebookRow
from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.submission import MemberSubmission
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.load_submissions import load_submissions
from pmh_jupyter.storage.records.progress_queries import ExerciseKey, load_person_attempts
from pmh_jupyter.storage.records.shared_queries import (
    MembershipRow,
    classroom_not_found_error,
    find_membership,
    load_assigned_lessons,
    load_exercises,
    select_memberships,
    to_membership,
)
from pmh_jupyter.storage.records.submissions import load_newest_submissions
from pmh_jupyter.storage.tables.classrooms import AssignmentRow, ClassroomRow, MemberRow
from pmh_jupyter.storage.tables.courses import LessonRow
from pmh_jupyter.storage.tables.people import PersonRow
from pmh_jupyter.storage.tables.results import LedgerRow


def load_gradebook(
    database: Database, classroom: str, page: int = 1, per_page: int = 50, name_contains: str = ""
) -> Gradebook:
    """One page of members (by name) with where they stand in each exercise; `name` keeps those whose name has it in it.

    Raises NotFound for a classroom or a page that is not there.
    """
    with database.read() as session:
        classroom_id = session.scalar(select(ClassroomRow.id).where(ClassroomRow.slug == classroom))
        if classroom_id is None:
            raise classroom_not_found_error(classroom)
        query = select_memberships().where(
            MemberRow.classroom_id == classroom_id, PersonRow.name.icontains(name_contains, autoescape=True)
        )
        member_count = session.scalar(query.with_only_columns(func.count())) or 0
        page_count = max(1, -(-member_count // per_page))
        if not 1 <= page <= page_count:
            raise NotFound(f"The board has no page {page}.")
        columns = _load_columns(session, classroom_id)
        members = _load_page(session, query, page, per_page)
        return Gradebook(
            classroom=classroom,
            columns=tuple(column for column, _ in columns),
            rows=_load_rows(session, classroom_id, members, columns),
            page=page,
            page_count=page_count,
        )


def list_member_submissions(
    database: Database, classroom: str, person_id: UUID, lesson: str | None = None, limit: int = 100
) -> tuple[MemberSubmission, ...]:
    """A member's newest work in a classroom, newest first; raises NotFound."""
    with database.read() as session:
        member = find_membership(session, person_id, classroom)
        return tuple(
            MemberSubmission(member.person, submission)
            for submission in load_newest_submissions(session, member, lesson, limit)
        )


def get_member_submission(database: Database, classroom: str, submission_id: UUID) -> MemberSubmission:
    """One member's work by its id; raises NotFound unless it is of this classroom."""
    with database.read() as session:
        submissions = load_submissions(session, [submission_id])
        if not submissions or submissions[0].classroom != classroom:
            raise NotFound("There is no such work in this classroom.")
        return MemberSubmission(find_membership(session, submissions[0].person_id, classroom).person, submissions[0])


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


def _load_page(session: Session, query: Select[*MembershipRow], page: int, per_page: int) -> tuple[Membership, ...]:
    rows = session.execute(query.order_by(PersonRow.name).limit(per_page).offset((page - 1) * per_page))
    return tuple(to_membership(*row) for row in rows)


def _load_rows(
    session: Session,
    classroom_id: UUID,
    members: tuple[Membership, ...],
    columns: list[tuple[GradebookColumn, Exercise]],
) -> tuple[GradebookRow, ...]:
    attempts_by_person = load_person_attempts(session, classroom_id, [member.person.id for member in members])
    grades = _load_ledger_entries(session, classroom_id, [member.id for member in members])
    return tuple(
        GradebookRow(
            member.person,
            member.role,
            tuple(
                GradebookCell(
                    progress=attempts_by_person[member.person.id].progress(column.lesson, exercise),
                    grade_millipoints=compute_grade(grades[member.id].get((column.lesson, column.grade_id), ())),
                    submission_id=attempts_by_person[member.person.id].newest_submission_id(column.lesson, exercise),
                )
                for column, exercise in columns
            ),
        )
        for member in members
    )


def _load_ledger_entries(
    session: Session, classroom_id: UUID, member_ids: Collection[UUID]
) -> dict[UUID, dict[ExerciseKey, list[LedgerEntry]]]:
    """The ledger's entries of each member by place."""
    entries_by_member: dict[UUID, dict[ExerciseKey, list[LedgerEntry]]] = {
        member_id: defaultdict(list) for member_id in member_ids
    }
    rows = session.execute(
        select(LedgerRow, LessonRow.slug)
        .join(AssignmentRow, AssignmentRow.id == LedgerRow.assignment_id)
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(AssignmentRow.classroom_id == classroom_id, LedgerRow.member_id.in_(member_ids))
    )
    for row, lesson in rows:
        entry = LedgerEntry(row.number, LedgerEntryKind(row.kind), row.millipoints, row.supersedes)
        entries_by_member[row.member_id][lesson, row.grade_id].append(entry)
    return entries_by_member
