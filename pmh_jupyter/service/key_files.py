"""Secrets that outlive a process, each in a file that only the service's user may read.

Several service processes share the folder: the first that needs a key makes it, the others find it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def load_or_create_key(path: Path, create_key: Callable[[], bytes]) -> bytes:
    """The content of a key file; made once (mode 0600), whole or not at all, whoever else is starting at the same time."""
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
            pass  # another process was quicker: its key is the key
    finally:
        temporary_path.unlink()
    return path.read_bytes()
