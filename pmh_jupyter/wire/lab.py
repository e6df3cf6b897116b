"""Between the panel and the server extension in the user's own server. Everything else the extension hands on as the service said it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from pmh_jupyter.wire.base import Message
from pmh_jupyter.wire.work import KindName, Receipt


class LabStatus(Message):
    """Whether the service can be reached from this server, who is asking, and the unsent work."""

    version: str
    name: str
    reachable: bool
    waiting: int = Field(description="Entries in the outbox")


class MergeReply(Message):
    """What the merge of a new release into the student's notebook did, cell by cell (grade_ids or cell ids)."""

    updated: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    copy_path: str | None = Field(
        default=None, description="The copy that was made before, relative to the server's root"
    )


class OpenRequest(Message):
    """Brings a lesson into the server. `unsaved` names notebooks (server paths) open with unsaved changes: they are not merged now."""

    unsaved: tuple[str, ...] = ()


class OpenReply(Message):
    """Where the lesson lies now. Paths are relative to the server's root."""

    folder: str
    notebooks: tuple[str, ...]
    release: str
    merged: MergeReply | None = None
    postponed: bool = Field(default=False, description="A newer release waits until the open notebook is saved")


class LabCheckRequest(Message):
    """Checks exercises of a lesson as it lies on the server's disk; `id` is made by the panel."""

    id: UUID
    exercises: tuple[str, ...] = ()


class LabSubmitRequest(Message):
    """Hands in a lesson as it lies on the server's disk; `id` is made by the panel."""

    id: UUID


class LabWorkReply(Message):
    """Work was handed on, or is kept in the outbox (`waiting`) until the service can be reached."""

    id: UUID
    kind: KindName
    state: Literal["queued", "running", "graded", "failed", "waiting"]
    receipt: Receipt | None = None


class OutboxEntry(Message):
    """Work that waits to be sent."""

    id: UUID
    kind: KindName
    classroom: str
    lesson: str
    created_at: datetime
    tries: int
    last_error: str = ""


class OutboxReply(Message):
    """All unsent work, oldest first. `refused` is work that the service answered with a final no, kept for the student to see."""

    waiting: tuple[OutboxEntry, ...]
    refused: tuple[OutboxEntry, ...] = ()
