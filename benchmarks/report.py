"""Collects measurements: each has several runs, of which minimum, median and maximum are reported."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Measurement:
    """One row of the table: name, unit, the value of each run, and the goal for the median, if there is one."""

    name: str
    unit: str
    runs: Sequence[float]
    goal: float | None = None

    @property
    def row(self) -> tuple[str, ...]:
        minimum, median_value, maximum = (
            f"{value:.2f}" for value in (min(self.runs), median(self.runs), max(self.runs))
        )
        goal = "" if self.goal is None else f"≤ {self.goal:g}"
        return (self.name, self.unit, minimum, median_value, maximum, str(len(self.runs)), goal)


HEADER = ("what", "unit", "minimum", "median", "maximum", "runs", "goal")


@dataclass
class BenchmarkReport:
    """All measurements of one run of the benchmarks."""

    rows: list[Measurement] = field(default_factory=list)
    extra_lines: list[str] = field(default_factory=list)

    def add(self, name: str, unit: str, runs: Sequence[float], goal: float | None = None) -> None:
        self.rows.append(Measurement(name, unit, runs, goal))

    def add_table(self, *rows: Sequence[str]) -> None:
        """Add a table of another form, with its header first, that is printed below the measurements."""
        self.extra_lines += ["", *markdown_table(rows)]

    def table(self) -> list[str]:
        """Format the rows as Markdown, as in docs/explanation/performance.md."""
        return [*markdown_table([HEADER, *(figure.row for figure in self.rows)]), *self.extra_lines]


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Format a table, with columns as wide as their widest cell. The first row is the header."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in rows]
    return [lines[0], f"|{'|'.join('-' * (width + 2) for width in widths)}|", *lines[1:]]


def describe_machine() -> str:
    """Describe the machine, and its load just before the measurements."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    load, _, _ = os.getloadavg()
    return (
        f"{date.today()}, {cores} cores ({_processor_name()}), {memory} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load before {load:.1f}"
    )


def _processor_name() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
