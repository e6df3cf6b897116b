"""People and the classrooms that they are in."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pmh_jupyter.domain.roles import Role


@dataclass(frozen=True)
class Person:
    """A person. `name` is their current user name at the Hub, which can change; `id` never changes."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Classroom:
    """A classroom, its course, and the number of the course version that it has adopted."""

    id: UUID
    slug: str
    title: str
    time_zone: str
    course: str
    course_title: str
    course_version: int


@dataclass(frozen=True)
class Membership:
    """A person's membership in a classroom, with its own id."""

    id: UUID
    person: Person
    classroom: Classroom
    role: Role
