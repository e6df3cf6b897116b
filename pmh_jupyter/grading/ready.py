"""Test cells made ready to run, kept by the host for the submissions that come (see `inside.apart.ready`).

They are made by a judge in a run of its own, in which nobody's code is run: a judge that has spoken to a student's process is not asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from weakref import WeakKeyDictionary

from pmh_jupyter.grading.walls.base import Wall

KEPT = 2_000
Make = Callable[[Sequence[str]], Sequence[str]]
"""Has cells made ready; answers one text for each, "" for one that cannot be, or nothing at all."""


class ReadyCells:
    """For each wall, because each may have a Python of its own. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By digest of the source; None for a cell that was seen once, "" for one that is not ready yet, or cannot be.
        self._known: WeakKeyDictionary[Wall, OrderedDict[bytes, str | None]] = WeakKeyDictionary()

    def of(self, wall: Wall, sources: Sequence[str], make: Make) -> Mapping[str, str]:
        """Those of the test cells that are ready, by source. A cell is made ready when it is seen for the second time."""
        keys = {source: sha256(source.encode("utf-8", "replace")).digest() for source in sources}
        missing = self._missing(wall, keys)
        if missing:
            made = make(missing)
            with self._lock:
                if len(made) == len(missing):
                    self._known[wall].update({keys[source]: kept for source, kept in zip(missing, made, strict=True)})
        with self._lock:
            known = self._known[wall]
            return {source: kept for source, key in keys.items() if (kept := known.get(key))}

    def _missing(self, wall: Wall, keys: Mapping[str, bytes]) -> list[str]:
        """Those to be made ready now. Nobody else is told the same, and nobody waits."""
        with self._lock:
            known = self._known.setdefault(wall, OrderedDict())
            seen = known.keys() & set(keys.values())
            missing = []
            for source, key in keys.items():
                if known.setdefault(key, None) is None and key in seen:
                    known[key] = ""
                    missing.append(source)
                known.move_to_end(key)
            while len(known) > KEPT:
                known.popitem(last=False)
            return missing
