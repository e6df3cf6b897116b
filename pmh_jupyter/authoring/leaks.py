"""Finds sealed text in the student's version of a release, such as a solution or a hidden test that a visible cell repeats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.markers import RegionKind, find_region_texts, find_regions
from pmh_jupyter.domain.notebook_json import load_notebook, make_cell_label
from pmh_jupyter.errors import Problem
from pmh_jupyter.python_source.lines import split_source_lines

# Characters. Shorter solutions ("x = 3") occur in any worked example, and reveal nothing.
MIN_SOLUTION_LENGTH = 16
# Only these lines reveal a hidden test. Other tests often have the same imports and loops.
_REVEALING_PREFIXES = ("assert ", "assert(", "raise ")


@dataclass(frozen=True)
class _VisibleText:
    """A text that students can read: a cell, or a data file (`cell` is None). `line_set` speeds up the search."""

    file: str
    cell: str | None
    text: str
    lines: list[str]
    line_set: frozenset[str]

    def contains(self, sealed_lines: list[str]) -> bool:
        if not self.line_set.issuperset(sealed_lines):
            return False
        starts = range(len(self.lines) - len(sealed_lines) + 1)
        return any(self.lines[start : start + len(sealed_lines)] == sealed_lines for start in starts)

    def __str__(self) -> str:
        return f"{self.file}, {self.cell}" if self.cell else self.file


def find_leaks(sealed: tuple[File, ...], student: tuple[File, ...]) -> tuple[Problem, ...]:
    """Report sealed texts and remaining markers in the students' files."""
    visible_texts = list(_collect_visible_texts(student))
    problems = [
        Problem(
            visible_text.file,
            "A marker of sealed text is in the student's version.",
            "Move the marked lines to a separate cell.",
            visible_text.cell,
        )
        for visible_text in visible_texts
        if any(find_regions(visible_text.text))
    ]
    for file, cell, description, sealed_lines in _collect_sealed_texts(sealed):
        for visible_text in visible_texts:
            if visible_text.contains(sealed_lines):
                message = f"{description} is visible in {visible_text}."
                problems.append(Problem(file, message, "Remove it there, or change it here.", cell))
    return tuple(problems)


def _collect_sealed_texts(sealed: tuple[File, ...]) -> Iterator[tuple[str, str, str, list[str]]]:
    """Yield file, cell, description and lines of each text that must stay sealed."""
    for file, cell, source in _list_cells(sealed):
        for text in find_region_texts(source, RegionKind.SOLUTION):
            lines = _select_significant_lines(text)
            if sum(map(len, lines)) >= MIN_SOLUTION_LENGTH:
                yield file, cell, "Its solution", lines
        for text in find_region_texts(source, RegionKind.HIDDEN_TESTS):
            for line in _select_significant_lines(text):
                if line.startswith(_REVEALING_PREFIXES):
                    yield file, cell, f"Its hidden test `{line}`", [line]


def _collect_visible_texts(student: tuple[File, ...]) -> Iterator[_VisibleText]:
    data = ((file.path, None, file.content.decode("utf-8", "replace")) for file in student if not file.is_ipynb)
    for file, cell, text in (*_list_cells(student), *data):
        lines = _select_significant_lines(text)
        yield _VisibleText(file, cell, text, lines, frozenset(lines))


def _list_cells(files: tuple[File, ...]) -> Iterator[tuple[str, str, str]]:
    for file in files:
        if file.is_ipynb:
            for number, cell in enumerate(load_notebook(file.path, file.content)["cells"], start=1):
                yield file.path, make_cell_label(cell, number), cell["source"]


def _select_significant_lines(text: str) -> list[str]:
    """Return the lines without indentation, leaving out blank lines and comments."""
    stripped = (line.strip() for line in split_source_lines(text))
    return [line for line in stripped if line and not line.startswith("#")]
