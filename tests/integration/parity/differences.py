"""The table of deliberate differences, as `docs/reference/nbgrader.md` tells it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "nbgrader.md"
HEAD = ["lesson", "handed in", "cell", "nbgrader", "here", "why"]


@dataclass(frozen=True)
class Difference:
    """Something that nbgrader says otherwise. `handed_in` is "" for what is said when the lesson is released."""

    lesson: str
    handed_in: str
    cell: str
    nbgrader: str
    here: str

    def __str__(self) -> str:
        return (
            f"{self.lesson}, {self.handed_in or 'release'}, {self.cell or 'whole'}: {self.nbgrader}, here {self.here}"
        )


@dataclass(frozen=True)
class Row:
    """A row of the table: patterns of lesson, submission and cell, and what both say."""

    columns: tuple[str, ...]

    def covers(self, one: Difference) -> bool:
        lesson, handed_in, cell, nbgrader, here, _ = self.columns
        names = zip((lesson, handed_in, cell), (one.lesson, one.handed_in, one.cell), strict=True)
        return (nbgrader, here) == (one.nbgrader, one.here) and all(
            any(fnmatchcase(name, pattern.strip()) for pattern in patterns.split(",")) for patterns, name in names
        )

    def __str__(self) -> str:
        return " | ".join(self.columns)


def rows() -> list[Row]:
    """The table that has these columns."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if _columns(line) == HEAD)
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        columns = _columns(line)
        assert len(columns) == len(HEAD) and columns[-1], f"a row without its reason: {line}"
        table.append(Row(tuple(columns)))
    return table


def _columns(line: str) -> list[str]:
    return [column.strip().replace("`", "") for column in line.strip().strip("|").split("|")]
