"""nbgrader's marker lines, which enclose the parts of a cell that students must not see.

A marker is a line that contains, anywhere, `BEGIN` or `END` and a kind in exactly this spelling. This is nbgrader's rule, so its
courses work unchanged. A line that only resembles a marker is an error, because it would publish a solution.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pmh_jupyter.python_source import hidden_tests
from pmh_jupyter.python_source.lines import split_source_lines
from pmh_jupyter.python_source.resource_exhaustion import remember_results

CODE_STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
TEXT_STUB = "YOUR ANSWER HERE"


class RegionKind(StrEnum):
    """Kind of a region."""

    SOLUTION = "SOLUTION"
    HIDDEN_TESTS = hidden_tests.HIDDEN_TESTS
    MARK_SCHEME = "MARK SCHEME"


@dataclass(frozen=True)
class Region:
    """Lines `start` to `stop` of a cell, both marker lines included. Lines count from 0, and `stop` is excluded."""

    kind: RegionKind
    start: int
    stop: int


@dataclass(frozen=True)
class MarkerProblem:
    """A marker that does not belong to a complete region. `line` counts from 1."""

    line: int
    message: str


_MARKER = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
_MARKER_LOOKALIKE = re.compile(
    r"^\W*(begin|end)[\s_-]*(solution|hidden[\s_-]*test|mark[\s_-]*scheme)s?\W*$", re.IGNORECASE
)


@remember_results(256)  # called several times for each cell of a release
def find_regions(source: str) -> tuple[tuple[Region, ...], tuple[MarkerProblem, ...]]:
    """Return all complete regions of a cell's source, in order, and the problems with other markers. Regions cannot be nested."""
    regions: list[Region] = []
    problems: list[MarkerProblem] = []
    open_region: tuple[RegionKind, int] | None = None
    for number, line in enumerate(split_source_lines(source)):
        marker = _MARKER.search(line)
        if marker is None:
            if _MARKER_LOOKALIKE.match(line):
                problems.append(MarkerProblem(number + 1, f"{line.strip()!r} resembles a marker but is not one."))
            continue
        edge, kind = marker[1], RegionKind(marker[2])
        if edge == "BEGIN":
            if open_region:
                problems.append(MarkerProblem(number + 1, f"BEGIN {kind} is inside an open {open_region[0]} region."))
            else:
                open_region = (kind, number)
        elif open_region is None or open_region[0] != kind:
            problems.append(MarkerProblem(number + 1, f"END {kind} has no BEGIN {kind} before it."))
        else:
            regions.append(Region(kind, open_region[1], number + 1))
            open_region = None
    if open_region:
        problems.append(
            MarkerProblem(open_region[1] + 1, f"BEGIN {open_region[0]} has no END {open_region[0]} after it.")
        )
    return tuple(regions), tuple(problems)


def has_region(source: str, kind: RegionKind) -> bool:
    """Return whether the source contains a complete region of this kind."""
    return any(region.kind is kind for region in find_regions(source)[0])


def find_region_texts(source: str, kind: RegionKind) -> tuple[str, ...]:
    """Return the text of each region of this kind, without the marker lines."""
    lines = split_source_lines(source)
    regions, _ = find_regions(source)
    return tuple("\n".join(lines[r.start + 1 : r.stop - 1]) for r in regions if r.kind is kind)


def remove_regions(source: str, kind: RegionKind) -> str:
    """Return the source without the regions of this kind."""
    return _replace_regions(source, kind, lambda _indent: [])


def blank_regions(source: str, kind: RegionKind) -> str:
    """Return the source with empty lines in place of the regions of this kind, so that all other lines keep their numbers."""
    lines = split_source_lines(source)
    for region in find_regions(source)[0]:
        if region.kind is kind:
            lines[region.start : region.stop] = [""] * (region.stop - region.start)
    return "\n".join(lines)


def replace_solutions(source: str, stub: str) -> str:
    """Return the source with nbgrader's stub for each solution, at the indentation of its BEGIN line."""
    return _replace_regions(source, RegionKind.SOLUTION, lambda indent: [indent + line for line in stub.split("\n")])


def _replace_regions(source: str, kind: RegionKind, make_lines: Callable[[str], list[str]]) -> str:
    lines = split_source_lines(source)
    regions = [region for region in find_regions(source)[0] if region.kind is kind]
    if not regions:
        return source
    if source.endswith(("\n", "\r")):
        lines.append("")
    for region in reversed(regions):
        begin_line = lines[region.start]
        indent = begin_line[: len(begin_line) - len(begin_line.lstrip())]
        lines[region.start : region.stop] = make_lines(indent)
    return "\n".join(lines)
