"""Who is in which classroom, and how they come in."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.errors import Conflict, NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_new
from pmh_jupyter.storage.log import NewEvent, append
from pmh_jupyter.storage.records.lookup import find_membership, no_classroom, select_memberships, to_membership
from pmh_jupyter.storage.tables.classrooms import ClassroomRow, JoinCodeRow, MemberRow


def memberships(database: Database, person: UUID) -> tuple[Membership, ...]:
    """Every classroom that a person is in, by slug."""
    with database.read() as session:
        rows = session.execute(select_memberships().where(MemberRow.person_id == person).order_by(ClassroomRow.slug))
        return tuple(to_membership(*row) for row in rows)


def membership(database: Database, person: UUID, classroom: str) -> Membership:
    """A person in a classroom (by slug); raises NotFound, the same for one that does not exist."""
    with database.read() as session:
        return find_membership(session, person, classroom)


def set_member(database: Database, person: UUID, classroom: str, role: Role) -> Membership:
    """Makes a person a member with this role, whatever role they had; raises NotFound for a classroom that does not exist."""
    with database.write() as session:
        room = session.scalars(select(ClassroomRow).where(ClassroomRow.slug == classroom)).one_or_none()
        if room is None:
            raise no_classroom(classroom)
        _admit(session, database, person, room.id).role = role.value
        session.flush()
        return find_membership(session, person, classroom)


def add_join_code(database: Database, classroom: str, role: Role, code: str) -> None:
    """Makes a code that admits to a classroom with a role. Repeating it is harmless; raises Conflict if the code is used otherwise."""
    with database.write() as session:
        room = session.scalars(select(ClassroomRow).where(ClassroomRow.slug == classroom)).one_or_none()
        if room is None:
            raise no_classroom(classroom)
        values = {"code": code, "classroom_id": room.id, "role": role.value}
        if insert_new(session, JoinCodeRow, **values, created_at=database.now()):
            return
        row = session.get_one(JoinCodeRow, code)
        if (row.classroom_id, row.role) != (room.id, role.value):
            raise Conflict("This join code is already in use.", advice="Choose another code.")


def join(database: Database, person: UUID, code: str) -> Membership:
    """Redeems a join code; raises NotFound for a wrong one. A member keeps the higher of the two roles."""
    with database.write() as session:
        found = session.execute(
            select(JoinCodeRow, ClassroomRow)
            .join(ClassroomRow, ClassroomRow.id == JoinCodeRow.classroom_id)
            .where(JoinCodeRow.code == code)
        ).one_or_none()
        if found is None:
            raise NotFound("No classroom has this join code.", advice="Look at the code again; capitals matter.")
        row, room = found
        member = _admit(session, database, person, room.id)
        if Role(row.role).rank > Role(member.role).rank:
            member.role = row.role
        session.flush()
        return find_membership(session, person, room.slug)


def _admit(session: Session, database: Database, person: UUID, classroom: UUID) -> MemberRow:
    """The member's row, made with its event where there is none yet."""
    now = database.now()
    values = {"classroom_id": classroom, "person_id": person, "role": Role.STUDENT.value, "joined_at": now}
    if insert_new(session, MemberRow, id=uuid4(), **values):
        append(session, classroom, [NewEvent(EventKind.MEMBER_JOINED, person)], now)
    return session.scalars(
        select(MemberRow).where(MemberRow.classroom_id == classroom, MemberRow.person_id == person).with_for_update()
    ).one()
