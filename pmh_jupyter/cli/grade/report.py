"""Prints the output of `pmh grade`: a result for each submission, the progress, and a summary at the end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pmh_jupyter.cli import print_line
from pmh_jupyter.domain.labels import OUTCOME_LABELS
from pmh_jupyter.domain.printable_text import make_printable, make_printable_json, make_single_line
from pmh_jupyter.domain.verdict import Outcome

if TYPE_CHECKING:
    from rich.table import Table

    from pmh_jupyter.cli.grade.discover import UnmappedPath
    from pmh_jupyter.cli.grade.result_line import ExerciseLine, ResultLine
    from pmh_jupyter.errors import Problem

# Colors of rich; every other outcome is yellow.
OUTCOME_COLORS = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.NEEDS_GRADING: "blue"}
PROGRESS_INTERVAL_SECONDS = 10.0


def print_json(result: ResultLine) -> None:
    """Print one line to standard output."""
    print(make_printable_json(json.dumps(result.to_json(), ensure_ascii=False)), flush=True)


def print_table(result: ResultLine) -> None:
    """Print a table to standard output."""
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    console.print(
        f"[bold]{escape(make_single_line(result.submission))}[/]  {result.score:g} of {result.max_score:g} points"
    )
    console.print(_build_table(result.exercises))
    for repair in result.repairs:
        console.print(f"  [dim]{escape(make_single_line(repair.text))}[/]")
    for flag in result.flags:
        prefix = f"{flag.cell}: " if flag.cell else ""
        console.print(f"  [yellow]! {escape(make_single_line(prefix + flag.text))}[/]")


def print_nothing(result: ResultLine) -> None:
    """Print nothing, because the result is in the results file."""


def print_warnings(warnings: tuple[Problem, ...]) -> None:
    """List on standard error why the lesson could not be released as it is, once for each place."""
    if warnings:
        print("pmh: The lesson is graded as it is. These problems would prevent its release:", file=sys.stderr)
    for warning in warnings:
        print_line(f"  {warning}")


def print_unmapped(unmapped: list[UnmappedPath]) -> None:
    """List the paths without a submission of this lesson on standard error, each with the rule that was tried."""
    for path in unmapped:
        print_line(f"pmh: {path}")


def _build_table(exercises: Iterable[ExerciseLine]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for exercise in exercises:
        outcome = Outcome(exercise.outcome)
        symbol = f"[{OUTCOME_COLORS.get(outcome, 'yellow')}]{OUTCOME_LABELS[outcome].terminal_symbol}[/]"
        points = f"{exercise.score:g} / {exercise.max_score:g}"
        table.add_row(symbol, escape(exercise.grade_id), points, escape(make_printable(exercise.message)))
    return table


@dataclass
class Summary:
    """The number of submissions by result. `unmapped` counts paths without a submission; they are not part of `total`."""

    total: int = 0
    graded: int = 0
    reused: int = 0
    grader_errors: int = 0
    unreadable: int = 0
    unmapped: int = 0
    total_points: float = 0.0
    total_max_points: float = 0.0

    @property
    def finished(self) -> int:
        return self.graded + self.reused + self.grader_errors + self.unreadable

    def add_score(self, score: float, max_score: float, *, is_reused: bool = False) -> None:
        """Count one result, in points, that is not a grader error."""
        self.reused += is_reused
        self.graded += not is_reused
        self.total_points += score
        self.total_max_points += max_score

    def __str__(self) -> str:
        scored_count = self.graded + self.reused
        phrases = [f"{self.graded} graded"]
        for count, label in (
            (self.reused, "reused from the results file"),
            (self.grader_errors, "not graded because of a grader error"),
            (self.unreadable, "not readable"),
            (self.unmapped, "without a submission of this lesson"),
        ):
            if count:
                phrases.append(f"{count} {label}")
        mean_text = (
            f"; mean {self.total_points / scored_count:.2f} of {self.total_max_points / scored_count:.2f} points"
            if scored_count
            else ""
        )
        return ", ".join(phrases) + mean_text


@contextmanager
def show_progress(summary: Summary) -> Iterator[Callable[[], None]]:
    """Show the progress on standard error: a bar on a terminal, otherwise a line every `PROGRESS_INTERVAL_SECONDS`.

    Yields a function to call after each result.
    """
    if sys.stderr.isatty():
        with _make_progress_bar(summary) as advance:
            yield advance
    else:
        yield _make_line_progress(summary)


@contextmanager
def _make_progress_bar(summary: Summary) -> Iterator[Callable[[], None]]:
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
        yield lambda: bar.update(task, completed=summary.finished)


def _make_line_progress(summary: Summary, clock: Callable[[], float] = time.monotonic) -> Callable[[], None]:
    start_time = last_printed = clock()

    def advance() -> None:
        nonlocal last_printed
        now = clock()
        newly_graded = summary.finished - summary.reused
        if now - last_printed >= PROGRESS_INTERVAL_SECONDS and newly_graded:
            last_printed = now
            seconds_left = (now - start_time) / newly_graded * (summary.total - summary.finished)
            print(
                f"{summary.finished} of {summary.total}, about {seconds_left:.0f} s left", file=sys.stderr, flush=True
            )

    return advance
