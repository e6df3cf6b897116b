"""The outbox on disk: order, one entry per id, rejections, unreadable files, disks that fail."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

import pytest

from pmh_jupyter.errors import Conflict, NotFound, NotSaved
from pmh_jupyter.server_extension.outbox import Outbox
from tests.support.lab.outbox_entries import add_entry, create_entry

LOG = logging.getLogger("test")


def test_entries_are_listed_in_the_order_of_adding_with_the_body_as_it_was_given(outbox: Outbox) -> None:
    entries = [create_entry() for _ in range(12)]
    bodies = [b'{"first line":\n"second line %d"}\n' % number for number in range(12)]
    for entry, body in zip(entries, bodies, strict=True):
        outbox.add(entry, body)

    stored = outbox.list_waiting()
    assert [item.entry for item in stored] == entries
    assert [item.read_body() for item in stored] == bodies


def test_new_entry_keeps_its_body_in_memory_until_it_is_released(outbox: Outbox) -> None:
    stored = outbox.add(create_entry(), b"body")
    stored.path.write_bytes(b"{}\nanother body")

    assert stored.read_body() == b"body"
    assert stored.drop_body().read_body() == b"another body"


def test_entry_with_the_same_id_is_left_unchanged(outbox: Outbox) -> None:
    first = outbox.add(create_entry(), b"first")
    add_entry(outbox)

    repeated = outbox.add(create_entry(first.entry.id), b"second")

    assert (repeated.entry, repeated.path) == (first.entry, first.path)
    assert repeated.read_body() == b"first"
    assert len(outbox.list_waiting()) == 2


def test_unreadable_entry_is_renamed_and_the_others_are_listed(outbox: Outbox) -> None:
    damaged, intact = add_entry(outbox), add_entry(outbox)
    damaged.path.write_text("{ half")

    assert [stored.entry for stored in outbox.list_waiting()] == [intact.entry]
    assert damaged.path.with_suffix(".unreadable").read_text() == "{ half"


def test_entry_counts_as_rejected_if_the_server_is_killed_while_moving_it(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = add_entry(outbox)

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Outbox, "remove", kill)
        outbox.move_to_rejected(stored, "No.")

    assert stored.path.exists(), "the entry is in both folders"
    assert outbox.list_waiting() == ()
    [rejected] = outbox.list_rejected()
    assert (rejected.entry.id, rejected.entry.error) == (stored.entry.id, "No.")
    assert rejected.read_body() == stored.read_body()


def test_rejected_submission_can_be_sent_again(outbox: Outbox) -> None:
    stored = add_entry(outbox)
    outbox.move_to_rejected(stored, "No.")

    outbox.add(stored.entry, b"body")

    assert [waiting.entry.id for waiting in outbox.list_waiting()] == [stored.entry.id]


def test_only_rejected_entries_can_be_deleted(outbox: Outbox) -> None:
    stored = add_entry(outbox)
    with pytest.raises(Conflict):
        outbox.delete_rejected(stored.entry.id)
    outbox.move_to_rejected(stored, "No.")
    outbox.delete_rejected(stored.entry.id)
    assert outbox.list_rejected() == ()
    with pytest.raises(NotFound):
        outbox.delete_rejected(stored.entry.id)


def test_folder_is_private_to_the_user(outbox: Outbox) -> None:
    stored = add_entry(outbox)
    assert stored.path.parent.stat().st_mode & 0o077 == 0
    assert stored.path.stat().st_mode & 0o077 == 0


def test_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotSaved, match="Not a directory"):
        add_entry(Outbox(tmp_path / "file" / "outbox", LOG))


def test_full_disk_is_reported_and_leaves_no_entry(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NotSaved, match="No space left"):
        add_entry(outbox)
    assert outbox.list_waiting() == ()
