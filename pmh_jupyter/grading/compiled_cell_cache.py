"""Test cells made ready to run, kept by the host for the submissions that come (see `inside.apart.ready`).

They are made by a judge in a run of its own, in which nobody's code is run: a judge that has spoken to a student's process is not asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from weakref import WeakKeyDictionary

from pmh_jupyter.grading.backends.backend import SandboxBackend

CACHE_SIZE = 2_000
CompileFunction = Callable[[Sequence[str]], Sequence[str]]
"""Has cells made ready; answers one text for each, "" for one that cannot be, or nothing at all."""


class CompiledCellCache:
    """For each wall, because each may have a Python of its own. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By digest of the source; None for a cell that was seen once, "" for one that is not ready yet, or cannot be.
        self._entries_by_backend: WeakKeyDictionary[SandboxBackend, OrderedDict[bytes, str | None]] = (
            WeakKeyDictionary()
        )

    def get_or_compile(
        self, backend: SandboxBackend, sources: Sequence[str], compile_cells: CompileFunction
    ) -> Mapping[str, str]:
        """Those of the test cells that are ready, by source. A cell is made ready when it is seen for the second time."""
        keys = {source: sha256(source.encode("utf-8", "replace")).digest() for source in sources}
        missing_sources = self._claim_missing(backend, keys)
        if missing_sources:
            compiled = compile_cells(missing_sources)
            with self._lock:
                if len(compiled) == len(missing_sources):
                    self._entries_by_backend[backend].update(
                        {
                            keys[source]: compiled_cell
                            for source, compiled_cell in zip(missing_sources, compiled, strict=True)
                        }
                    )
        with self._lock:
            entries = self._entries_by_backend[backend]
            return {source: compiled_cell for source, key in keys.items() if (compiled_cell := entries.get(key))}

    def _claim_missing(self, backend: SandboxBackend, keys: Mapping[str, bytes]) -> list[str]:
        """Those to be made ready now. Nobody else is told the same, and nobody waits."""
        with self._lock:
            entries = self._entries_by_backend.setdefault(backend, OrderedDict())
            seen_before = entries.keys() & set(keys.values())
            missing_sources = []
            for source, key in keys.items():
                if entries.setdefault(key, None) is None and key in seen_before:
                    entries[key] = ""
                    missing_sources.append(source)
                entries.move_to_end(key)
            while len(entries) > CACHE_SIZE:
                entries.popitem(last=False)
            return missing_sources
