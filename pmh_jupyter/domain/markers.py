"""The marker lines with which an author says what a student does not see, as nbgrader knows them.

A marker is a line that holds `BEGIN` or `END` and a kind, exactly so and anywhere in the line (nbgrader's own rule, so that its
courses work as they are). What merely resembles a marker is an error, because a solution would be published otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

CODE_STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
TEXT_STUB = "YOUR ANSWER HERE"


class Mark(StrEnum):
    """What a region is."""

    SOLUTION = "SOLUTION"
    HIDDEN_TESTS = "HIDDEN TESTS"
    MARK_SCHEME = "MARK SCHEME"


@dataclass(frozen=True)
class Region:
    """Lines `start` to `stop` of a cell (from 0, stop excluded), both marker lines among them."""

    mark: Mark
    start: int
    stop: int


@dataclass(frozen=True)
class MarkerFault:
    """A marker that does not make a region; `line` counts from 1."""

    line: int
    message: str


_MARKER = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
_NEARLY = re.compile(r"^\W*(begin|end)[\s_-]*(solution|hidden[\s_-]*test|mark[\s_-]*scheme)s?\W*$", re.IGNORECASE)


@lru_cache(256)  # asked several times of each cell of a release
def find_regions(source: str) -> tuple[tuple[Region, ...], tuple[MarkerFault, ...]]:
    """All whole regions of a cell's source, in order, and the markers that make none. Regions do not nest."""
    regions: list[Region] = []
    faults: list[MarkerFault] = []
    open_mark: tuple[Mark, int] | None = None
    for number, line in enumerate(source.split("\n")):
        found = _MARKER.search(line)
        if found is None:
            if _NEARLY.match(line):
                faults.append(MarkerFault(number + 1, f"{line.strip()!r} resembles a marker and is none."))
            continue
        edge, mark = found[1], Mark(found[2])
        if edge == "BEGIN":
            if open_mark:
                faults.append(MarkerFault(number + 1, f"BEGIN {mark} stands inside an open {open_mark[0]} region."))
            else:
                open_mark = (mark, number)
        elif open_mark is None or open_mark[0] != mark:
            faults.append(MarkerFault(number + 1, f"END {mark} has no BEGIN {mark} before it."))
        else:
            regions.append(Region(mark, open_mark[1], number + 1))
            open_mark = None
    if open_mark:
        faults.append(MarkerFault(open_mark[1] + 1, f"BEGIN {open_mark[0]} has no END {open_mark[0]} after it."))
    return tuple(regions), tuple(faults)


def has_region(source: str, mark: Mark) -> bool:
    """True where the source holds a whole region of this kind."""
    return any(region.mark is mark for region in find_regions(source)[0])


def inside(source: str, mark: Mark) -> tuple[str, ...]:
    """The text within each region of this kind, without the marker lines."""
    lines = source.split("\n")
    regions, _ = find_regions(source)
    return tuple("\n".join(lines[r.start + 1 : r.stop - 1]) for r in regions if r.mark is mark)


def remove(source: str, mark: Mark) -> str:
    """The source without the regions of this kind."""
    return _replace(source, mark, lambda _indent: [])


def replace_solutions(source: str, stub: str) -> str:
    """The source with nbgrader's stub for each solution, at the indentation of its BEGIN line."""
    return _replace(source, Mark.SOLUTION, lambda indent: [indent + line for line in stub.split("\n")])


def _replace(source: str, mark: Mark, lines_for: Callable[[str], list[str]]) -> str:
    lines = source.split("\n")
    for region in reversed(find_regions(source)[0]):
        if region.mark is mark:
            first = lines[region.start]
            indent = first[: len(first) - len(first.lstrip())]
            lines[region.start : region.stop] = lines_for(indent)
    return "\n".join(lines)
