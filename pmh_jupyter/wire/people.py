"""Who is asking, and which classrooms they are in."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from pmh_jupyter.wire.base import WireModel

RoleName = Literal["student", "assistant", "instructor", "admin"]


class ClassroomReply(WireModel):
    """A classroom as one of its members sees it."""

    slug: str
    title: str
    role: RoleName
    time_zone: str = Field(description="IANA name, for example Europe/Zurich")
    course: str = Field(description="The course's slug")
    course_title: str


class MeReply(WireModel):
    """The person behind the request: our own id, and the Hub's present name for them."""

    id: UUID
    name: str
    classrooms: tuple[ClassroomReply, ...]


class JoinRequest(WireModel):
    """Redeems a classroom's join code for the person who asks."""

    join_code: str = Field(min_length=4, max_length=64)


class EnrolRequest(WireModel):
    """Redeems a join code for a person who is just signing up. Only the Hub's own accounts may send it."""

    join_code: str = Field(min_length=4, max_length=64)
    name: str = Field(min_length=1, max_length=255)
