"""Whether a student's release gives away what was sealed: a solution that stands elsewhere too, a hidden test in plain sight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.ipynb import load, name_of
from pmh_jupyter.domain.markers import Mark, find_regions, inside
from pmh_jupyter.errors import Problem

# Shorter solutions ("x = 3") stand in any worked example, and tell nothing.
LEAST_SOLUTION = 16
# A hidden test is given away by its assertion, not by an import or a loop that it shares with others.
_TELLING = ("assert ", "assert(", "raise ")


@dataclass(frozen=True)
class _Place:
    """Something that a student can read: a cell, or a data file (`cell` is None). `known` makes looking for a line quick."""

    file: str
    cell: str | None
    text: str
    lines: list[str]
    known: frozenset[str]

    def shows(self, secret: list[str]) -> bool:
        if not self.known.issuperset(secret):
            return False
        starts = range(len(self.lines) - len(secret) + 1)
        return any(self.lines[start : start + len(secret)] == secret for start in starts)

    def __str__(self) -> str:
        return f"{self.file}, {self.cell}" if self.cell else self.file


def find_leaks(sealed: tuple[File, ...], student: tuple[File, ...]) -> tuple[Problem, ...]:
    """Every sealed text that a student's file shows, and every marker that is still there."""
    places = list(_places(student))
    problems = [
        Problem(
            place.file,
            "A marker of sealed text is in the student's version.",
            "Put it in a cell of its own.",
            place.cell,
        )
        for place in places
        if any(find_regions(place.text))
    ]
    for file, cell, what, secret in _secrets(sealed):
        for place in places:
            if place.shows(secret):
                message = f"{what} can be read in {place}."
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


def _places(student: tuple[File, ...]) -> Iterator[_Place]:
    data = ((file.path, None, file.content.decode("utf-8", "replace")) for file in student if not _is_notebook(file))
    for file, cell, text in (*_cells(student), *data):
        lines = _lines(text)
        yield _Place(file, cell, text, lines, frozenset(lines))


def _cells(files: tuple[File, ...]) -> Iterator[tuple[str, str, str]]:
    for file in files:
        if _is_notebook(file):
            for number, cell in enumerate(load(file.path, file.content)["cells"], start=1):
                yield file.path, name_of(cell, number), cell["source"]


def _lines(text: str) -> list[str]:
    """Lines without indentation, blanks and comments."""
    stripped = (line.strip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def _is_notebook(file: File) -> bool:
    return file.path.endswith(".ipynb")
