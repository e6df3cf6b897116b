"""Stamp files, which record the inputs of a build by a hash of their contents. Times and order do not matter.

Uses the standard library only: `make up` imports this file before any package is installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

IGNORED_NAMES = frozenset({"__pycache__", "node_modules", ".ipynb_checkpoints"})


def compute_fingerprint(paths: Iterable[Path], *extra_texts: str) -> str:
    """Return the SHA-256 (hex) of the names and contents of files and of all files in folders, and of `extra_texts`.

    A path that does not exist adds nothing, so that creating or deleting it changes the hash.
    """
    digest = hashlib.sha256()
    for path in paths:
        for file in _list_files_below(path):
            name = file.relative_to(path.parent).as_posix()
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{name}\0{content}\n".encode())
    for text in extra_texts:
        digest.update(f"\0{text}\n".encode())
    return digest.hexdigest()


def is_current(stamp: Path, fingerprint: str) -> bool:
    """Return whether the stamp was written for this fingerprint."""
    try:
        return stamp.read_text(encoding="ascii") == fingerprint
    except (OSError, UnicodeDecodeError):
        return False


def write_stamp(stamp: Path, fingerprint: str) -> None:
    """Write the stamp. Call this after the build is complete, so that an interrupted build leaves the old stamp or none."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(fingerprint, encoding="ascii")


def _list_files_below(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and IGNORED_NAMES.isdisjoint(file.parts))
