"""Maps the Hub's name of a caller to a person, and to a membership of the classroom that the request names."""

from __future__ import annotations

from dataclasses import dataclass

from pmh_jupyter.domain.people import Membership, Person
from pmh_jupyter.domain.roles import Permission, has_permission
from pmh_jupyter.errors import NotAllowed
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import members, people


@dataclass(frozen=True)
class Identity:
    """The person behind a request. `membership` is set if the route requires a permission."""

    person: Person
    membership: Membership | None = None


def resolve_identity(database: Database, name: str, classroom: str | None, permission: Permission | None) -> Identity:
    """Find the person with a Hub name, or create it at the first visit, and the membership if a permission is required.

    Raises NotFound if the classroom does not exist or the person is not a member (the caller cannot tell which), and NotAllowed if the
    member's role does not have the permission.
    """
    person = people.find_or_create_person(database, name)
    if permission is None or classroom is None:
        return Identity(person)
    membership = members.get_membership(database, person.id, classroom)
    if not has_permission(membership.role, permission):
        raise NotAllowed(f"Your role in this classroom ({membership.role.value}) does not allow this.")
    return Identity(person, membership)
