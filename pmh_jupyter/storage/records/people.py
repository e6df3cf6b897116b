"""People. They are found by their user name at the Hub and identified by an id that never changes."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from pmh_jupyter.domain.people import Person
from pmh_jupyter.errors import BadInput, Conflict, NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.tables.people import PersonRow


def find_person(database: Database, name: str) -> Person | None:
    """Return the person with this name; None if there is none yet."""
    with database.begin_read() as session:
        row = session.scalars(select(PersonRow).where(PersonRow.name == name)).one_or_none()
        return Person(row.id, row.name) if row else None


def find_or_create_person(database: Database, name: str) -> Person:
    """Return the person with this name, created if needed. Concurrent calls create one person."""
    person = find_person(database, name)
    if person:
        return person
    with database.begin_write() as session:
        insert_if_absent(session, PersonRow, id=uuid4(), name=name, created_at=database.now())
        row = session.scalars(select(PersonRow).where(PersonRow.name == name)).one()
        return Person(row.id, row.name)


def rename_person_by_name(database: Database, old_name: str, new_name: str) -> Person:
    """Rename a person, after the Hub has renamed the user.

    Raises NotFound if nobody has the old name, Conflict if somebody else has the new one, BadInput if the new name is empty.
    """
    if not new_name.strip():
        raise BadInput("The new name is empty.", advice="Use the person's current name at the Hub.")
    person = find_person(database, old_name)
    if person is None:
        raise NotFound(
            f"There is no person {old_name!r}.", advice="Use the earlier name at the Hub. Capital letters matter."
        )
    return rename_person(database, person.id, new_name)


def rename_person(database: Database, person_id: UUID, name: str) -> Person:
    """Change a person's name. Raises NotFound for an unknown person, Conflict if somebody else has the name."""
    try:
        with database.begin_write() as session:
            renamed_ids = session.execute(
                update(PersonRow).where(PersonRow.id == person_id).values(name=name).returning(PersonRow.id)
            )
            if renamed_ids.one_or_none() is None:
                raise NotFound("This person does not exist.")
    except IntegrityError as error:
        raise Conflict(
            f"Another person already has the name {name!r}.",
            advice="If this is the same person, who has logged in under the new name already, rename that entry first "
            f"(`pmh db rename-person {name} {name}-unused`), then try again.",
        ) from error
    return Person(person_id, name)
