"""Entries for an outbox under test."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from pmh_jupyter.server_extension.outbox import Outbox, OutboxEntry, StoredEntry
from pmh_jupyter.wire.submission import SubmitRequest


def create_entry(submission_id: UUID | None = None) -> OutboxEntry:
    """Return a submission of the lesson `values`."""
    return OutboxEntry(
        id=submission_id or uuid4(),
        kind="final",
        classroom="physics-1",
        lesson="values",
        created_at=datetime.now(UTC),
        request_id="r",
    )


def create_body(entry: OutboxEntry) -> bytes:
    """Return a request body that the service accepts for the entry."""
    return SubmitRequest(id=entry.id, release_id="0" * 64, files=()).model_dump_json().encode()


def add_entry(outbox: Outbox) -> StoredEntry:
    """Add a submission to the outbox."""
    entry = create_entry()
    return outbox.add(entry, create_body(entry))
