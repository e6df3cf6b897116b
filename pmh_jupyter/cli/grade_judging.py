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
from pmh_jupyter.domain.judging import Judging
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.grading.grade import JUDGINGS
from pmh_jupyter.grading.judging import key_of
from pmh_jupyter.grading.task import GradingTask
from pmh_jupyter.grading.walls import Wall

KEPT = 200
_JUDGING = TypeAdapter(Judging)


class Remembered:
    """What is known of the one release that a run grades by. Safe to use from several threads: the first finds it out."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self._lock = threading.Lock()
        self._known: Judging | None = None

    def of(self, task: GradingTask) -> Judging | None:
        """The judging of the task's release; None where it could not be found out, which each grading says for itself."""
        with self._lock:
            if self._known is None:
                with suppress(Unavailable):
                    self._known = self._find(task)
            return self._known

    def _find(self, task: GradingTask) -> Judging:
        made_of = self._wall.made_of(task.preload)
        everything = f"{key_of(task)} {made_of} {_grader()}"
        place = _folder() / f"{hashlib.sha256(everything.encode()).hexdigest()}.json"
        known = _read(place) if made_of else None
        if known is None:
            known = JUDGINGS.of(task, self._wall)
            if made_of:
                _write(place, known)
        return known


def _grader() -> list[tuple[str, int]]:
    """Changes with the grader's own code, also between its versions."""
    folder = Path(grading.__file__).parent
    return sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*.py"))


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pmh" / "judgings"


def _read(place: Path) -> Judging | None:
    try:
        known = _JUDGING.validate_json(place.read_bytes())
        os.utime(place)  # of the files those are kept that were used last
    except (OSError, ValidationError):
        return None
    return known


def _write(place: Path, judging: Judging) -> None:
    new = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.write_bytes(_JUDGING.dump_json(judging))
        new.replace(place)
        by_age = sorted(place.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for old in by_age[KEPT:]:
            old.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            new.unlink()
