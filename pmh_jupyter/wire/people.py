"""The caller, and their classrooms."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from pmh_jupyter.wire.base import WireModel

RoleName = Literal["student", "assistant", "instructor", "admin"]


class ClassroomReply(WireModel):
    """A classroom, with the caller's role."""

    slug: str
    title: str
    role: RoleName
    time_zone: str = Field(description="IANA name, for example Europe/Zurich")
    course: str = Field(description="The course's slug")
    course_title: str


class MeReply(WireModel):
    """The caller: the id in the service's database, and the current user name at the Hub."""

    id: UUID
    name: str
    classrooms: tuple[ClassroomReply, ...]


class JoinRequest(WireModel):
    """Redeems a classroom's join code for the caller."""

    join_code: str = Field(min_length=4, max_length=64)


class EnrolRequest(WireModel):
    """Redeems a join code for a person who is signing up. Only the Hub may send it."""

    join_code: str = Field(min_length=4, max_length=64)
    name: str = Field(min_length=1, max_length=255)
