"""How releases are judged, remembered from one run of `pmh grade` to the next: finding it out takes some twenty gradings.

A file for each release, grader and Python lies in `$XDG_CACHE_HOME/pmh/judgings` (else `~/.cache`). What cannot be read or written
there is found out anew.
"""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pmh_jupyter import grading
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.grade import ISOLATION_CACHE
from pmh_jupyter.grading.isolation import isolation_key
from pmh_jupyter.grading.task import GradingTask

CACHE_SIZE = 200
_ISOLATION_ADAPTER = TypeAdapter(ReleaseIsolation)


class PersistentIsolationCache:
    """What is known of the one release that a run grades by. Safe to use from several threads: the first finds it out."""

    def __init__(self, backend: SandboxBackend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._isolation: ReleaseIsolation | None = None

    def get(self, task: GradingTask) -> ReleaseIsolation | None:
        """The judging of the task's release; None where it could not be found out, which each grading says for itself."""
        with self._lock:
            if self._isolation is None:
                with suppress(Unavailable):
                    self._isolation = self._load_or_determine(task)
            return self._isolation

    def _load_or_determine(self, task: GradingTask) -> ReleaseIsolation:
        fingerprint = self._backend.fingerprint(task.preload)
        cache_key = f"{isolation_key(task)} {fingerprint} {_grader_file_times()}"
        cache_file = _cache_folder() / f"{hashlib.sha256(cache_key.encode()).hexdigest()}.json"
        isolation = _read_cache_file(cache_file) if fingerprint else None
        if isolation is None:
            isolation = ISOLATION_CACHE.get_or_decide(task, self._backend)
            if fingerprint:
                _write_cache_file(cache_file, isolation)
        return isolation


def _grader_file_times() -> list[tuple[str, int]]:
    """Changes with the grader's own code, also between its versions."""
    folder = Path(grading.__file__).parent
    return sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*.py"))


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pmh" / "judgings"


def _read_cache_file(cache_file: Path) -> ReleaseIsolation | None:
    try:
        isolation = _ISOLATION_ADAPTER.validate_json(cache_file.read_bytes())
        os.utime(cache_file)  # of the files those are kept that were used last
    except (OSError, ValidationError):
        return None
    return isolation


def _write_cache_file(cache_file: Path, isolation: ReleaseIsolation) -> None:
    temporary_file = cache_file.with_name(f"{cache_file.name}.{os.getpid()}")
    try:
        cache_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary_file.write_bytes(_ISOLATION_ADAPTER.dump_json(isolation))
        temporary_file.replace(cache_file)
        newest_first = sorted(cache_file.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for old_file in newest_first[CACHE_SIZE:]:
            old_file.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            temporary_file.unlink()
