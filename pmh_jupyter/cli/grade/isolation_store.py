"""Stores the isolation of releases between runs of `pmh grade`, because deciding it takes about twenty gradings.

Each release, grader and Python has one file in `$XDG_CACHE_HOME/pmh/isolation` (default `~/.cache/pmh/isolation`). A file that cannot be
read or written is ignored, and the isolation is determined again.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from pmh_jupyter import grading
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.filesystem import write_atomically
from pmh_jupyter.storage.isolation_json import dump_isolation, load_isolation

MAX_FILES = 200


class FileIsolationStore:
    """One file per decision. Deletes all but the `MAX_FILES` most recently used files."""

    def load(self, key: str, fingerprint: str) -> ReleaseIsolation | None:
        """Return a stored decision, if there is one."""
        cache_file = _make_cache_path(key, fingerprint)
        try:
            isolation = load_isolation(json.loads(cache_file.read_bytes()))
            os.utime(cache_file)
        except (OSError, ValueError):
            return None
        return isolation

    def save(self, key: str, fingerprint: str, isolation: ReleaseIsolation) -> None:
        """Store a decision, and delete the least recently used files."""
        cache_file = _make_cache_path(key, fingerprint)
        with suppress(OSError):
            cache_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(cache_file, json.dumps(dump_isolation(isolation)).encode())
            newest_first = sorted(cache_file.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
            for old_file in newest_first[MAX_FILES:]:
                old_file.unlink(missing_ok=True)


def _make_cache_path(key: str, fingerprint: str) -> Path:
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = hashlib.sha256(f"{key} {fingerprint} {_read_grader_file_times()}".encode()).hexdigest()
    return cache_home / "pmh" / "isolation" / f"{name}.json"


def _read_grader_file_times() -> list[tuple[str, int]]:
    """Return the modification times of the grader's own code, which may change without a new version."""
    folder = Path(grading.__file__).parent
    paths = [*folder.rglob("*.py"), *(folder.parent / "python_source").rglob("*.py")]
    return sorted((str(path), path.stat().st_mtime_ns) for path in paths)
