"""The waiting entries of the outbox in memory, so that a submission that was just stored is sent without reading the disk."""

from __future__ import annotations

import asyncio

from pmh_jupyter.server_extension.outbox import Outbox, StoredEntry


class SendQueue:
    """Entries to be sent, in the order of their files. Call all methods from the event loop's thread.

    Entries stored by this process are put in with their bodies. Entries of an earlier process, or of another server of the same
    person, are loaded from disk.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._entries: dict[str, StoredEntry] = {}
        self._needs_load = True

    def put(self, stored_entry: StoredEntry) -> None:
        """Add an entry, unless it is in the queue."""
        self._entries.setdefault(stored_entry.path.name, stored_entry)

    def request_load(self) -> None:
        """Make the next `load` read the disk again."""
        self._needs_load = True

    async def load(self) -> None:
        """Add the entries on disk, if a load is due. After NotSaved or OSError, it is still due."""
        if self._needs_load:
            for stored_entry in await asyncio.to_thread(self._outbox.list_waiting):
                self.put(stored_entry)
            self._needs_load = False

    def get_first(self) -> StoredEntry | None:
        """Return the entry to be sent next; None if the queue is empty."""
        return self._entries[min(self._entries)] if self._entries else None

    def remove(self, stored_entry: StoredEntry) -> None:
        """Remove an entry that was sent, rejected or deleted."""
        self._entries.pop(stored_entry.path.name, None)

    def release_bodies(self) -> None:
        """Free the memory of bodies that have to wait. They are read from disk when they are sent."""
        self._entries = {name: stored_entry.drop_body() for name, stored_entry in self._entries.items()}
