"""What `pmh grade` says: of each submission, how far it is, and of all at the end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pmh_jupyter.domain.words import flag_words, words

if TYPE_CHECKING:
    from rich.table import Table

    from pmh_jupyter.domain.verdict import Grading

MARKS = {"passed": "[green]✓[/]", "failed": "[red]✕[/]", "needs-marking": "[blue]…[/]"}
TELL_SECONDS = 10.0


def as_json(path: str, grading: Grading) -> dict[str, Any]:
    """One submission as `--json` tells it; scores are in points, seconds are wall time."""
    return {
        "submission": path,
        "score": sum(verdict.millipoints for verdict in grading.verdicts) / 1000,
        "max_score": sum(verdict.max_millipoints for verdict in grading.verdicts) / 1000,
        "exercises": [
            {
                "grade_id": verdict.grade_id,
                "score": verdict.millipoints / 1000,
                "max_score": verdict.max_millipoints / 1000,
                "outcome": verdict.outcome.value,
                "message": words(verdict.message) if verdict.message else "",
            }
            for verdict in grading.verdicts
        ],
        "flags": [
            {"code": flag.code, "cell": flag.cell, "detail": flag.detail, "text": flag_words(flag)}
            for flag in grading.flags
        ],
        "seconds": round(grading.seconds, 3),
    }


def tell_json(told: dict[str, Any], grading: Grading) -> None:
    """A line on standard output."""
    print(json.dumps(told, ensure_ascii=False), flush=True)


def tell_person(told: dict[str, Any], grading: Grading) -> None:
    """A table on standard output."""
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    console.print(f"[bold]{escape(told['submission'])}[/]  {told['score']:g} of {told['max_score']:g} points")
    console.print(_table(told["exercises"]))
    for message in grading.healed:
        console.print(f"  [dim]{escape(words(message))}[/]")
    for flag in told["flags"]:
        where = f"{flag['cell']}: " if flag["cell"] else ""
        console.print(f"  [yellow]! {escape(where + flag['text'])}[/]")


def tell_nothing(told: dict[str, Any], grading: Grading) -> None:
    """It stands in the file of results."""


def _table(exercises: list[dict[str, Any]]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for exercise in exercises:
        mark = MARKS.get(exercise["outcome"], "[yellow]![/]")
        points = f"{exercise['score']:g} / {exercise['max_score']:g}"
        table.add_row(mark, escape(exercise["grade_id"]), points, escape(exercise["message"]))
    return table


@dataclass
class Summary:
    """What became of all submissions. `known` are those of an earlier run; `faults` are ours, `unread` could not be read."""

    total: int = 0
    graded: int = 0
    known: int = 0
    faults: int = 0
    unread: int = 0
    without: int = 0
    points: float = 0.0
    of: float = 0.0

    @property
    def done(self) -> int:
        return self.graded + self.known + self.faults + self.unread

    def count(self, line: dict[str, Any], *, known: bool = False) -> None:
        """Takes in one result."""
        if line.get("fault"):
            self.faults += 1
            return
        self.known += known
        self.graded += not known
        self.points += line["score"]
        self.of += line["max_score"]

    def __str__(self) -> str:
        scored = self.graded + self.known
        parts = [f"{self.graded} graded"]
        for number, what in (
            (self.known, "known from before"),
            (self.faults, "not graded through our fault"),
            (self.unread, "not readable"),
            (self.without, "folders without this lesson"),
        ):
            if number:
                parts.append(f"{number} {what}")
        mean = f"; mean {self.points / scored:.2f} of {self.of / scored:.2f} points" if scored else ""
        return ", ".join(parts) + mean


@contextmanager
def progress(summary: Summary) -> Iterator[Callable[[], None]]:
    """Shows how far it is on standard error: a bar with an estimate on a terminal, else a line now and then. Call it after each."""
    if sys.stderr.isatty():
        with _bar(summary) as step:
            yield step
    else:
        yield _lines(summary)


@contextmanager
def _bar(summary: Summary) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=summary.total)
        yield lambda: bar.update(task, completed=summary.done)


def _lines(summary: Summary, clock: Callable[[], float] = time.monotonic) -> Callable[[], None]:
    began = told = clock()

    def step() -> None:
        nonlocal told
        now = clock()
        fresh = summary.done - summary.known
        if now - told >= TELL_SECONDS and fresh:
            told = now
            left = (now - began) / fresh * (summary.total - summary.done)
            print(f"{summary.done} of {summary.total}, about {left:.0f} s left", file=sys.stderr, flush=True)

    return step
