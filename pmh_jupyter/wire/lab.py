"""Messages between the panel and the server extension in the user's server. Messages of the service are passed on unchanged."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from pmh_jupyter.wire.base import WireModel
from pmh_jupyter.wire.submission import MessageReply, Receipt, SubmissionKindName


class MergeReply(WireModel):
    """Result of merging a new release into the student's notebook: grade_ids or cell ids, by the kind of change."""

    updated: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    backup_path: str | None = Field(
        default=None, description="Backup of the student's version, relative to the server's root"
    )


class OpenLessonRequest(WireModel):
    """Opens a lesson: writes its files to the server. `unsaved_notebooks`: server paths of notebooks with unsaved changes, not merged."""

    unsaved_notebooks: tuple[str, ...] = ()


class OpenLessonReply(WireModel):
    """Where the lesson's files are. Paths are relative to the server's root."""

    folder: str
    notebooks: tuple[str, ...]
    release_id: str
    merge: MergeReply | None = None
    is_update_postponed: bool = Field(
        default=False, description="A newer release is merged once the open notebook is saved"
    )


class LabCheckRequest(WireModel):
    """Checks exercises of a lesson as saved on the server's disk. The panel creates the `id`."""

    id: UUID
    exercises: tuple[str, ...] = ()


class LabSubmitRequest(WireModel):
    """Submits a lesson as saved on the server's disk. The panel creates the `id`."""

    id: UUID


class LabSubmissionReply(WireModel):
    """A submission was passed on, or waits in the outbox (`waiting`) until the service can be reached."""

    id: UUID
    kind: SubmissionKindName
    state: Literal["queued", "running", "graded", "failed", "waiting"]
    receipt: Receipt | None = None
    left_out: tuple[MessageReply, ...] = Field(default=(), description="What was left out of the submission, by reason")


class OutboxEntryReply(WireModel):
    """A submission in the outbox."""

    id: UUID
    kind: SubmissionKindName
    classroom: str
    lesson: str
    created_at: datetime
    send_count: int
    last_error: str = ""


class OutboxReply(WireModel):
    """The outbox, oldest first. `rejected` are submissions that the service rejected for good, until they are dismissed."""

    waiting: tuple[OutboxEntryReply, ...]
    rejected: tuple[OutboxEntryReply, ...] = ()
