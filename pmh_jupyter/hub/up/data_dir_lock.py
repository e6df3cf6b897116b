"""One `pmh up` for one data folder: the claim is a lock that the kernel lets go of, however its holder ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pmh_jupyter.errors import Conflict

LOCK_NAME = "up.lock"


@contextmanager
def lock_data_dir(data_dir: Path, address: str) -> Iterator[None]:
    """Holds the data folder, made if missing and closed to others; raises Conflict, saying who holds it and where it answers."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(data_dir / LOCK_NAME, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _conflict_with_holder(data_dir, file.name) from None
        file.truncate(0)
        json.dump({"pid": os.getpid(), "address": address, "since": f"{datetime.now():%Y-%m-%d %H:%M}"}, file)
        file.flush()
        yield


def data_dir_conflict(data_dir: Path) -> Conflict | None:
    """What `claim` would raise now, without making or changing anything; None where nobody holds the data folder."""
    try:
        with open(data_dir / LOCK_NAME, encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _conflict_with_holder(data_dir, str(data_dir / LOCK_NAME))
    return None


def _conflict_with_holder(data_dir: Path, lock_path: str) -> Conflict:
    try:
        holder = json.loads(Path(lock_path).read_text(encoding="utf-8"))
    except ValueError:  # between its lock and its writing
        return Conflict(
            f"A hub is just starting on the data in {data_dir}.", advice="Wait a moment, or stop the other one."
        )
    return Conflict(
        f"A hub already runs on the data in {data_dir}: {holder['address']}, process {holder['pid']}, since {holder['since']}.",
        advice=f"Use that one; or stop it with Ctrl-C in its terminal or `kill {holder['pid']}`; "
        "or name another folder in PMH_DATA_DIR.",
    )
