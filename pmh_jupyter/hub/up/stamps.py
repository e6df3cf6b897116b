"""Is what was made from these files still what they would make? A hash of the contents answers it; times and order do not count.

Only the standard library is used here: `make up` reads this file before anything of ours is installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

IGNORED_NAMES = frozenset({"__pycache__", "node_modules", ".ipynb_checkpoints"})


def content_hash(paths: Iterable[Path], *extra_texts: str) -> str:
    """SHA-256 (hex) over the given files, and those in the given folders, with their names; `also` is hashed along.

    A path that does not exist counts as absent, so that its coming and going changes the hash.
    """
    digest = hashlib.sha256()
    for path in paths:
        for file in _files_below(path):
            name = file.relative_to(path.parent).as_posix()
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{name}\0{content}\n".encode())
    for text in extra_texts:
        digest.update(f"\0{text}\n".encode())
    return digest.hexdigest()


def is_current(stamp: Path, fingerprint: str) -> bool:
    """True if the stamp says that the thing was made for this value."""
    try:
        return stamp.read_text(encoding="ascii") == fingerprint
    except (OSError, UnicodeDecodeError):
        return False


def write_stamp(stamp: Path, fingerprint: str) -> None:
    """To be called once the thing is whole: an interrupted making leaves the old stamp, or none."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(fingerprint, encoding="ascii")


def _files_below(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and IGNORED_NAMES.isdisjoint(file.parts))
