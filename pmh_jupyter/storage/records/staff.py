"""What staff see: the board of a classroom, and a member's work. The caller has checked that they may."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.ledger import Entry, EntryKind, grade
from pmh_jupyter.domain.outline import Board, BoardCell, BoardColumn, BoardRow
from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.work import StaffWork
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.lookup import (
    MembershipRow,
    exercises_of,
    find_membership,
    no_classroom,
    placed_lessons,
    select_memberships,
    to_membership,
)
from pmh_jupyter.storage.records.reading_work import load_work
from pmh_jupyter.storage.records.standing import Place, done_by
from pmh_jupyter.storage.records.work import newest_work
from pmh_jupyter.storage.tables.classrooms import AssignmentRow, ClassroomRow, MemberRow
from pmh_jupyter.storage.tables.courses import LessonRow
from pmh_jupyter.storage.tables.people import PersonRow
from pmh_jupyter.storage.tables.results import LedgerRow


def board(database: Database, classroom: str, page: int = 1, per_page: int = 50, name: str = "") -> Board:
    """One page of members (by name) with where they stand in each exercise; `name` keeps those whose name has it in it.

    Raises NotFound for a classroom or a page that is not there.
    """
    with database.read() as session:
        room = session.scalar(select(ClassroomRow.id).where(ClassroomRow.slug == classroom))
        if room is None:
            raise no_classroom(classroom)
        wanted = select_memberships().where(
            MemberRow.classroom_id == room, PersonRow.name.icontains(name, autoescape=True)
        )
        count = session.scalar(wanted.with_only_columns(func.count())) or 0
        pages = max(1, -(-count // per_page))
        if not 1 <= page <= pages:
            raise NotFound(f"The board has no page {page}.")
        columns = _columns(session, room)
        members = _page(session, wanted, page, per_page)
        return Board(
            classroom=classroom,
            columns=tuple(column for column, _ in columns),
            rows=_rows(session, room, members, columns),
            page=page,
            pages=pages,
        )


def member_work(
    database: Database, classroom: str, person: UUID, lesson: str | None = None, limit: int = 100
) -> tuple[StaffWork, ...]:
    """A member's newest work in a classroom, newest first; raises NotFound."""
    with database.read() as session:
        member = find_membership(session, person, classroom)
        return tuple(StaffWork(member.person, work) for work in newest_work(session, member, lesson, limit))


def staff_work(database: Database, classroom: str, work: UUID) -> StaffWork:
    """One member's work by its id; raises NotFound unless it is of this classroom."""
    with database.read() as session:
        found = load_work(session, [work])
        if not found or found[0].classroom != classroom:
            raise NotFound("There is no such work in this classroom.")
        return StaffWork(find_membership(session, found[0].person, classroom).person, found[0])


def _columns(session: Session, classroom: UUID) -> list[tuple[BoardColumn, Exercise]]:
    placed = placed_lessons(session, classroom)
    exercises = exercises_of(session, {one.release for one in placed})
    return [
        (BoardColumn(one.lesson, one.title, exercise.grade_id, exercise.title, exercise.max_millipoints), exercise)
        for one in placed
        for exercise in exercises[one.release]
    ]


def _page(session: Session, wanted: Select[*MembershipRow], page: int, per_page: int) -> tuple[Membership, ...]:
    rows = session.execute(wanted.order_by(PersonRow.name).limit(per_page).offset((page - 1) * per_page))
    return tuple(to_membership(*row) for row in rows)


def _rows(
    session: Session,
    classroom: UUID,
    members: tuple[Membership, ...],
    columns: list[tuple[BoardColumn, Exercise]],
) -> tuple[BoardRow, ...]:
    done = done_by(session, classroom, [member.person.id for member in members])
    grades = _grades(session, classroom, [member.id for member in members])
    return tuple(
        BoardRow(
            member.person,
            member.role,
            tuple(
                BoardCell(
                    progress=done[member.person.id].progress(column.lesson, exercise),
                    grade_millipoints=grade(grades[member.id].get((column.lesson, column.grade_id), ())),
                    work=done[member.person.id].newest_work(column.lesson, exercise),
                )
                for column, exercise in columns
            ),
        )
        for member in members
    )


def _grades(session: Session, classroom: UUID, members: Collection[UUID]) -> dict[UUID, dict[Place, list[Entry]]]:
    """The ledger's entries of each member by place."""
    found: dict[UUID, dict[Place, list[Entry]]] = {member: defaultdict(list) for member in members}
    rows = session.execute(
        select(LedgerRow, LessonRow.slug)
        .join(AssignmentRow, AssignmentRow.id == LedgerRow.assignment_id)
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(AssignmentRow.classroom_id == classroom, LedgerRow.member_id.in_(members))
    )
    for row, lesson in rows:
        entry = Entry(row.number, EntryKind(row.kind), row.millipoints, row.supersedes)
        found[row.member_id][lesson, row.grade_id].append(entry)
    return found
