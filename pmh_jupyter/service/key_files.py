"""Secrets that outlive a process, each in a file that only the service's user can read.

Several service processes may share the folder: the first one that needs a key creates it, the others read it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from pmh_jupyter.filesystem import write_atomically


def load_or_create_key(path: Path, create_key: Callable[[], bytes]) -> bytes:
    """Return the content of a key file, which is created with mode 0600 if it does not exist.

    All processes that call this at the same time get the same key, and no reader sees an incomplete file.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):  # another process was faster, so its key is used
        write_atomically(path, create_key(), overwrite=False)
    return path.read_bytes()
