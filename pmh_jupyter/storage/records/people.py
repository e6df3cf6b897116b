"""People: found by the Hub's name, kept by an id of our own."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from pmh_jupyter.domain.people import Person
from pmh_jupyter.errors import BadInput, Conflict, NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.tables.people import PersonRow


def find(database: Database, name: str) -> Person | None:
    """The person of the Hub's name; None: never seen."""
    with database.read() as session:
        row = session.scalars(select(PersonRow).where(PersonRow.name == name)).one_or_none()
        return Person(row.id, row.name) if row else None


def find_or_create(database: Database, name: str) -> Person:
    """The person of the Hub's name, made when seen for the first time; two at once make one."""
    person = find(database, name)
    if person:
        return person
    with database.write() as session:
        insert_if_absent(session, PersonRow, id=uuid4(), name=name, created_at=database.now())
        row = session.scalars(select(PersonRow).where(PersonRow.name == name)).one()
        return Person(row.id, row.name)


def get(database: Database, person_id: UUID) -> Person:
    """The person of the id; raises NotFound."""
    with database.read() as session:
        row = session.get(PersonRow, person_id)
        if row is None:
            raise NotFound("There is no such person.")
        return Person(row.id, row.name)


def rename_by_name(database: Database, old_name: str, new_name: str) -> Person:
    """The person of a Hub name under the name that the Hub gave them instead.

    Raises NotFound for a name that nobody has, Conflict for one that somebody else has, BadInput for none at all.
    """
    if not new_name.strip():
        raise BadInput("The new name is empty.", advice="Give the name that the person has at the Hub.")
    person = find(database, old_name)
    if person is None:
        raise NotFound(f"Nobody is called {old_name!r}.", advice="The name is as the Hub had it, capitals included.")
    return rename(database, person.id, new_name)


def rename(database: Database, person_id: UUID, name: str) -> Person:
    """Gives the person this name; raises NotFound, and Conflict for a name that somebody else has."""
    try:
        with database.write() as session:
            renamed = session.execute(
                update(PersonRow).where(PersonRow.id == person_id).values(name=name).returning(PersonRow.id)
            )
            if renamed.one_or_none() is None:
                raise NotFound("There is no such person.")
    except IntegrityError as error:
        raise Conflict(
            f"The name {name!r} is already somebody else's.",
            advice=f"If that one is the same person, seen under the new name before it was followed: call them something else first "
            f"(`pmh db rename-person {name} {name}-unused`), then try again.",
        ) from error
    return Person(person_id, name)
