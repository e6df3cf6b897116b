"""Reads the table of deliberate differences in `docs/reference/nbgrader.md`."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "nbgrader.md"
HEAD = ["lesson", "submission", "cell", "nbgrader", "pmh", "why"]


@dataclass(frozen=True)
class Difference:
    """A result that differs from nbgrader's. `submission` is "" for a difference when the lesson is released."""

    lesson: str
    submission: str
    cell: str
    nbgrader: str
    pmh: str

    def __str__(self) -> str:
        return f"{self.lesson}, {self.submission or 'release'}, {self.cell or 'whole'}: {self.nbgrader}, pmh {self.pmh}"


@dataclass(frozen=True)
class Row:
    """A row of the table: patterns of lesson, submission and cell, and both results."""

    columns: tuple[str, ...]

    def covers(self, difference: Difference) -> bool:
        lesson, submission, cell, nbgrader, pmh, _ = self.columns
        names = zip(
            (lesson, submission, cell), (difference.lesson, difference.submission, difference.cell), strict=True
        )
        return (nbgrader, pmh) == (difference.nbgrader, difference.pmh) and all(
            any(fnmatchcase(name, pattern.strip()) for pattern in patterns.split(",")) for patterns, name in names
        )

    def __str__(self) -> str:
        return " | ".join(self.columns)


def rows() -> list[Row]:
    """Return the rows of the table."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if _columns(line) == HEAD)
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        columns = _columns(line)
        assert len(columns) == len(HEAD) and columns[-1], f"a row without a reason: {line}"
        table.append(Row(tuple(columns)))
    return table


def _columns(line: str) -> list[str]:
    return [column.strip().replace("`", "") for column in line.strip().strip("|").split("|")]
