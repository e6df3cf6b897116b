"""Whether a student's release gives away what was sealed: a solution that stands elsewhere too, a hidden test in plain sight."""

from __future__ import annotations

from collections.abc import Iterator

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.ipynb import load, name_of
from pmh_jupyter.domain.markers import Mark, find_regions, inside
from pmh_jupyter.errors import Problem

# Shorter solutions ("x = 3") stand in any worked example, and tell nothing.
LEAST_SOLUTION = 16
# A hidden test is given away by its assertion, not by an import or a loop that it shares with others.
_TELLING = ("assert ", "assert(", "raise ")


def find_leaks(sealed: tuple[File, ...], student: tuple[File, ...]) -> tuple[Problem, ...]:
    """Every sealed text that a student's file shows, and every marker that is still there."""
    places = list(_places(student))
    problems = [
        Problem(file, "A marker of sealed text is in the student's version.", "Put it in a cell of its own.", cell)
        for file, cell, text in places
        if any(find_regions(text))
    ]
    for file, cell, what, secret in _secrets(sealed):
        for shown_in, shown_cell, shown in places:
            if _contains(_lines(shown), secret):
                where = f"{shown_in}, {shown_cell}" if shown_cell else shown_in
                message = f"{what} can be read in {where}."
                problems.append(Problem(file, message, "Take it out there, or test something else here.", cell))
    return tuple(problems)


def _secrets(sealed: tuple[File, ...]) -> Iterator[tuple[str, str, str, list[str]]]:
    """File, cell, what it is, and lines of each text that must stay sealed."""
    for file, cell, source in _cells(sealed):
        for text in inside(source, Mark.SOLUTION):
            lines = _lines(text)
            if sum(map(len, lines)) >= LEAST_SOLUTION:
                yield file, cell, "Its solution", lines
        for text in inside(source, Mark.HIDDEN_TESTS):
            for line in _lines(text):
                if line.startswith(_TELLING):
                    yield file, cell, f"Its hidden test `{line}`", [line]


def _places(student: tuple[File, ...]) -> Iterator[tuple[str, str | None, str]]:
    """File, cell (None in a data file) and text of all that a student can read."""
    yield from _cells(student)
    for data in student:
        if not data.path.endswith(".ipynb"):
            yield data.path, None, data.content.decode("utf-8", "replace")


def _cells(files: tuple[File, ...]) -> Iterator[tuple[str, str, str]]:
    for file in files:
        if file.path.endswith(".ipynb"):
            for number, cell in enumerate(load(file.path, file.content)["cells"], start=1):
                yield file.path, name_of(cell, number), cell["source"]


def _lines(text: str) -> list[str]:
    """Lines without indentation, blanks and comments."""
    stripped = (line.strip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def _contains(lines: list[str], part: list[str]) -> bool:
    return any(lines[start : start + len(part)] == part for start in range(len(lines) - len(part) + 1))
