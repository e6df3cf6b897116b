"""Memberships of classrooms, and joining by code."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.errors import Conflict, NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.event_log import NewEvent, append_events
from pmh_jupyter.storage.records.shared_queries import (
    find_classroom_row,
    find_membership,
    select_memberships,
    to_membership,
)
from pmh_jupyter.storage.tables.classrooms import ClassroomRow, JoinCodeRow, MemberRow


def list_memberships(database: Database, person_id: UUID) -> tuple[Membership, ...]:
    """Return all memberships of a person, ordered by the classroom's slug."""
    with database.begin_read() as session:
        rows = session.execute(select_memberships().where(MemberRow.person_id == person_id).order_by(ClassroomRow.slug))
        return tuple(to_membership(*row) for row in rows)


def get_membership(database: Database, person_id: UUID, classroom: str) -> Membership:
    """Return a person's membership. Raises the same NotFound if the classroom does not exist or the person is not a member."""
    with database.begin_read() as session:
        return find_membership(session, person_id, classroom)


def set_member_role(database: Database, person_id: UUID, classroom: str, role: Role) -> Membership:
    """Give a person this role in a classroom, and make them a member if they are not. Raises NotFound for an unknown classroom."""
    with database.begin_write() as session:
        classroom_row = find_classroom_row(session, classroom)
        _add_member(session, database, person_id, classroom_row.id).role = role.value
        session.flush()
        return find_membership(session, person_id, classroom)


def add_join_code(database: Database, classroom: str, role: Role, code: str) -> None:
    """Add a code with which people join a classroom in a role. Repeating the call has no effect.

    Raises NotFound for an unknown classroom, Conflict if the code belongs to another classroom or role.
    """
    with database.begin_write() as session:
        classroom_row = find_classroom_row(session, classroom)
        values = {"code": code, "classroom_id": classroom_row.id, "role": role.value}
        if insert_if_absent(session, JoinCodeRow, **values, created_at=database.now()):
            return
        row = session.get_one(JoinCodeRow, code)
        if (row.classroom_id, row.role) != (classroom_row.id, role.value):
            raise Conflict("This join code is already in use.", advice="Choose another code.")


def redeem_join_code(database: Database, person_id: UUID, code: str) -> Membership:
    """Join a classroom by code. A member keeps the higher of the two roles. Raises NotFound for an unknown code."""
    with database.begin_write() as session:
        code_and_classroom = session.execute(
            select(JoinCodeRow, ClassroomRow)
            .join(ClassroomRow, ClassroomRow.id == JoinCodeRow.classroom_id)
            .where(JoinCodeRow.code == code)
        ).one_or_none()
        if code_and_classroom is None:
            raise NotFound("No classroom has this join code.", advice="Check the code again. Capital letters matter.")
        join_code_row, classroom_row = code_and_classroom
        member = _add_member(session, database, person_id, classroom_row.id)
        if Role(join_code_row.role).rank > Role(member.role).rank:
            member.role = join_code_row.role
        session.flush()
        return find_membership(session, person_id, classroom_row.slug)


def _add_member(session: Session, database: Database, person_id: UUID, classroom_id: UUID) -> MemberRow:
    """Return the locked row of a member; insert it, with its event, if it does not exist."""
    now = database.now()
    values = {"classroom_id": classroom_id, "person_id": person_id, "role": Role.STUDENT.value, "joined_at": now}
    if insert_if_absent(session, MemberRow, id=uuid4(), **values):
        append_events(session, classroom_id, [NewEvent(EventKind.MEMBER_JOINED, person_id)], now)
    return session.scalars(
        select(MemberRow)
        .where(MemberRow.classroom_id == classroom_id, MemberRow.person_id == person_id)
        .with_for_update()
    ).one()
