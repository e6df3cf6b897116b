"""People and the classrooms that they are in."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pmh_jupyter.domain.roles import Role


@dataclass(frozen=True)
class Person:
    """A person: our own id, and the Hub's present name for them."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Classroom:
    """A classroom, with the course that it takes. `version` is the number of the course version that it adopted."""

    id: UUID
    slug: str
    title: str
    time_zone: str
    course: str
    course_title: str
    course_version: int


@dataclass(frozen=True)
class Membership:
    """A person in a classroom. `id` is the membership's own."""

    id: UUID
    person: Person
    classroom: Classroom
    role: Role
