"""Finds the place of a use: the node of the test's syntax tree that is being executed. See `contract`."""

from __future__ import annotations

import dis
import sys
from itertools import islice
from types import CodeType, FrameType
from typing import Any

from pmh_jupyter.grading.runtime.test_cells.code_filenames import describe_origin, is_release_filename
from pmh_jupyter.grading.runtime.test_cells.contract_entries import format_place


def is_result_discarded() -> bool:
    """Return whether the test discards the value of the expression that is being executed, as the statement `f(log)` does."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_release_filename(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return False
    code, position = frame.f_code.co_code, frame.f_lasti + 2
    while code[position] == dis.opmap["CACHE"]:
        position += 2
    return code[position] == dis.opmap["POP_TOP"]


class _ReleaseFilenames(dict[str, bool]):
    """Maps a file name to whether its code comes from the release. Cached, because every use inspects several frames."""

    def __missing__(self, filename: str) -> bool:
        return self.setdefault(filename, is_release_filename(filename))


class PlaceTable:
    """Finds places, and caches them by instruction."""

    def __init__(self) -> None:
        # The code objects are kept, because Python may reuse the id of one that is deleted.
        self._places: dict[tuple[int, int], tuple[CodeType, str]] = {}
        self._is_release = _ReleaseFilenames()

    def find(self, frame: Any) -> str:
        """Return the place of the innermost frame of the tests, starting from this frame."""
        is_release = self._is_release
        while frame is not None:
            code = frame.f_code
            if is_release[code.co_filename]:
                return self._describe(code, frame.f_lasti)
            frame = frame.f_back
        return ""

    def _describe(self, code: CodeType, instruction: int) -> str:
        known = self._places.get((id(code), instruction))
        if known is not None:
            return known[1]
        line, end_line, column, end_column = next(islice(code.co_positions(), instruction // 2, None))
        place = describe_origin(code.co_filename) + format_place(line, column, end_line, end_column)
        self._places[id(code), instruction] = code, place
        return place
