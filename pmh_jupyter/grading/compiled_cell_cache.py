"""Caches compiled test cells on the host for later submissions (see `runtime/separate_process/cells/compiled_cell.py`).

A separate run of the judge, without any student code, compiles them: a judge that has communicated with a student process is not trusted.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

CACHE_SIZE = 2_000
# Compiles cells. Returns one text for each ("" for a cell that cannot be compiled), or an empty sequence if the run fails.
CompileFunction = Callable[[Sequence[str]], Sequence[str]]


class CompiledCellCache:
    """The compiled cells of one backend. Another backend may have another Python. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By digest of the source. None: seen once. "": being compiled, or cannot be compiled.
        self._entries: OrderedDict[bytes, str | None] = OrderedDict()

    def get_or_compile(self, sources: Sequence[str], compile_cells: CompileFunction) -> Mapping[str, str]:
        """Return the available compiled cells by source. A cell is compiled when it is requested for the second time."""
        keys = {source: sha256(source.encode("utf-8", "replace")).digest() for source in sources}
        missing_sources = self._claim_missing(keys)
        if missing_sources:
            compiled = compile_cells(missing_sources)
            with self._lock:
                if len(compiled) == len(missing_sources):
                    self._entries.update(
                        {
                            keys[source]: compiled_cell
                            for source, compiled_cell in zip(missing_sources, compiled, strict=True)
                        }
                    )
        with self._lock:
            return {source: compiled_cell for source, key in keys.items() if (compiled_cell := self._entries.get(key))}

    def _claim_missing(self, keys: Mapping[str, bytes]) -> list[str]:
        """Return the cells to compile now. Other callers do not get the same cells, and do not wait for them."""
        with self._lock:
            seen_before = self._entries.keys() & set(keys.values())
            missing_sources = []
            for source, key in keys.items():
                if self._entries.setdefault(key, None) is None and key in seen_before:
                    self._entries[key] = ""
                    missing_sources.append(source)
                self._entries.move_to_end(key)
            while len(self._entries) > CACHE_SIZE:
                self._entries.popitem(last=False)
            return missing_sources
