"""Secrets that outlive a process, each in a file that only the service's user can read.

Several service processes may share the folder: the first one that needs a key creates it, the others read it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def load_or_create_key(path: Path, create_key: Callable[[], bytes]) -> bytes:
    """Returns the content of a key file, which is created with mode 0600 if it does not exist.

    All processes that call this at the same time get the same key, and no reader sees an incomplete file.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary_path = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(create_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary_path, path)
        except FileExistsError:
            pass  # another process was faster, so its key is used
    finally:
        temporary_path.unlink()
    return path.read_bytes()
