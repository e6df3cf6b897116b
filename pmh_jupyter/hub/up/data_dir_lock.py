"""The lock of a data folder: at most one `pmh up` runs on it. The kernel releases the lock when its holder ends or is killed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pmh_jupyter.errors import Conflict
from pmh_jupyter.filesystem import FileLock, LockHeld

LOCK_NAME = "up.lock"


@contextmanager
def lock_data_dir(data_dir: Path, address: str) -> Iterator[None]:
    """Hold the lock while the block runs. Create the data folder if it is missing, closed to other users.

    address: the hub's address, for the error message of another `pmh up`. Raises Conflict if another process holds the lock.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(data_dir / LOCK_NAME)
    holder = {"pid": os.getpid(), "address": address, "since": f"{datetime.now():%Y-%m-%d %H:%M}"}
    try:
        lock.acquire(json.dumps(holder))
    except LockHeld as error:
        raise _make_conflict_with_holder(data_dir, error.holder) from error
    try:
        yield
    finally:
        lock.release()


def find_data_dir_conflict(data_dir: Path) -> Conflict | None:
    """Return the error that `lock_data_dir` would raise now, or None. Creates and changes nothing."""
    holder = FileLock(data_dir / LOCK_NAME).find_holder()
    return None if holder is None else _make_conflict_with_holder(data_dir, holder)


def _make_conflict_with_holder(data_dir: Path, holder_text: str) -> Conflict:
    try:
        holder = json.loads(holder_text)
    except ValueError:  # the holder has not written its text yet
        return Conflict(
            f"A hub is just starting on the data in {data_dir}.", advice="Wait a moment, or stop the other hub."
        )
    return Conflict(
        f"A hub already runs on the data in {data_dir}: {holder['address']}, process {holder['pid']}, since {holder['since']}.",
        advice=f"Use that hub, or stop it with Ctrl-C in its terminal or `kill {holder['pid']}`, "
        "or set PMH_DATA_DIR to another folder.",
    )
