"""Between the panel and the server extension in the user's own server. Everything else the extension hands on as the service said it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from pmh_jupyter.wire.base import WireModel
from pmh_jupyter.wire.submission import Receipt, SubmissionKindName


class LabStatus(WireModel):
    """Whether the service can be reached from this server, who is asking, and the unsent work."""

    version: str
    name: str
    is_reachable: bool
    outbox_size: int = Field(description="Entries in the outbox")


class MergeReply(WireModel):
    """What the merge of a new release into the student's notebook did, cell by cell (grade_ids or cell ids)."""

    updated: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    backup_path: str | None = Field(
        default=None, description="The copy that was made before, relative to the server's root"
    )


class OpenLessonRequest(WireModel):
    """Brings a lesson into the server. `unsaved` names notebooks (server paths) open with unsaved changes: they are not merged now."""

    unsaved_notebooks: tuple[str, ...] = ()


class OpenLessonReply(WireModel):
    """Where the lesson lies now. Paths are relative to the server's root."""

    folder: str
    notebooks: tuple[str, ...]
    release_id: str
    merge: MergeReply | None = None
    is_update_postponed: bool = Field(
        default=False, description="A newer release waits until the open notebook is saved"
    )


class LabCheckRequest(WireModel):
    """Checks exercises of a lesson as it lies on the server's disk; `id` is made by the panel."""

    id: UUID
    exercises: tuple[str, ...] = ()


class LabSubmitRequest(WireModel):
    """Hands in a lesson as it lies on the server's disk; `id` is made by the panel."""

    id: UUID


class LabSubmissionReply(WireModel):
    """Work was handed on, or is kept in the outbox (`waiting`) until the service can be reached."""

    id: UUID
    kind: SubmissionKindName
    state: Literal["queued", "running", "graded", "failed", "waiting"]
    receipt: Receipt | None = None


class OutboxEntryReply(WireModel):
    """Work that waits to be sent."""

    id: UUID
    kind: SubmissionKindName
    classroom: str
    lesson: str
    created_at: datetime
    send_attempts: int
    last_error: str = ""


class OutboxReply(WireModel):
    """All unsent work, oldest first. `refused` is work that the service answered with a final no, kept for the student to see."""

    waiting: tuple[OutboxEntryReply, ...]
    refused: tuple[OutboxEntryReply, ...] = ()
