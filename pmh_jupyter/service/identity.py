"""Where the caller stands: which person of ours, and in the classroom that the address names, which member."""

from __future__ import annotations

from dataclasses import dataclass

from pmh_jupyter.domain.people import Membership, Person
from pmh_jupyter.domain.roles import Permission, has_permission
from pmh_jupyter.errors import NotAllowed
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import members, people


@dataclass(frozen=True)
class Identity:
    """The person behind a request. `membership` is set where the route asks for a permission."""

    person: Person
    membership: Membership | None = None


def resolve_identity(database: Database, name: str, classroom: str | None, permission: Permission | None) -> Identity:
    """The person of a Hub name, made at the first visit; and the membership that holds the permission.

    Raises NotFound for a classroom that is not there or not theirs (one cannot be told from the other), NotAllowed for a member
    whose role does not hold the permission.
    """
    person = people.find_or_create(database, name)
    if permission is None or classroom is None:
        return Identity(person)
    membership = members.get_membership(database, person.id, classroom)
    if not has_permission(membership.role, permission):
        raise NotAllowed(f"Your role in this classroom ({membership.role.value}) does not allow this.")
    return Identity(person, membership)
