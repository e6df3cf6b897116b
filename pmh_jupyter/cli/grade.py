"""`pmh grade`: submissions graded on this machine, without a hub and without a database."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from pmh_jupyter.errors import PmhError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from pmh_jupyter.cli import Commands
    from pmh_jupyter.config import Settings
    from pmh_jupyter.domain.course import Release
    from pmh_jupyter.domain.verdict import Grading
    from pmh_jupyter.grading.task import Limits
    from pmh_jupyter.grading.walls import Wall

MARKS = {"passed": "[green]✓[/]", "failed": "[red]✕[/]", "needs-marking": "[blue]…[/]"}


def register(commands: Commands) -> None:
    parser = commands.add_parser("grade", help="grade submissions of a lesson, without a hub")
    parser.add_argument("source", help="the lesson with its solutions: a notebook, or the folder that holds it")
    parser.add_argument("submission", nargs="+", help="a notebook, or a folder that holds it and its files")
    parser.add_argument("--json", action="store_true", help="one JSON object a line and submission")
    parser.set_defaults(run=grade)


def grade(arguments: argparse.Namespace) -> int:
    """0 whatever the scores; 2 where an input cannot be read, or a fault of ours: the other submissions are graded all the same."""
    from pmh_jupyter.authoring.local import read_source
    from pmh_jupyter.config import Settings

    settings = Settings.from_environ()
    wall, limits = _wall(settings), _limits(settings)
    release = read_source(arguments.source, wall)
    tell = _tell_json if arguments.json else _tell_person
    return max(_grade_one(path, release, limits, wall, tell) for path in arguments.submission)


def _grade_one(path: str, release: Release, limits: Limits, wall: Wall, tell: Callable[[str, Grading], None]) -> int:
    from pmh_jupyter.authoring.local import read_submission, task_of
    from pmh_jupyter.cli import print_error
    from pmh_jupyter.grading.grade import grade as run

    try:
        grading = run(task_of(release, read_submission(path), limits), wall)
    except PmhError as error:
        print_error(error)
        return 2
    tell(path, grading)
    return 2 if grading.fault else 0


def _limits(settings: Settings) -> Limits:
    from pmh_jupyter.grading.task import Limits

    return Limits(
        cell_seconds=settings.cell_seconds,
        submission_seconds=settings.submission_seconds,
        memory_bytes=settings.grading_memory_mb << 20,
    )


def _wall(settings: Settings) -> Wall:
    """Says so where submissions can reach this machine."""
    from pmh_jupyter.grading.walls import find_wall

    wall = find_wall(settings)
    if not wall.contained:
        print("pmh: no sandbox can be had here, so submissions run as you. `pmh doctor` says why.", file=sys.stderr)
    return wall


def _tell_json(path: str, grading: Grading) -> None:
    print(json.dumps(as_json(path, grading), ensure_ascii=False), flush=True)


def as_json(path: str, grading: Grading) -> dict[str, Any]:
    """One submission as `--json` tells it; scores are in points, seconds are wall time."""
    from pmh_jupyter.domain.words import words

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
        "flags": [{"code": flag.code, "cell": flag.cell, "detail": flag.detail} for flag in grading.flags],
        "seconds": round(grading.seconds, 3),
    }


def _tell_person(path: str, grading: Grading) -> None:
    from rich.console import Console
    from rich.markup import escape

    from pmh_jupyter.domain.words import words

    told = as_json(path, grading)
    console = Console()
    console.print(f"[bold]{escape(path)}[/]  {told['score']:g} of {told['max_score']:g} points")
    console.print(_table(told["exercises"]))
    for message in grading.healed:
        console.print(f"  [dim]{escape(words(message))}[/]")
    for flag in told["flags"]:
        console.print(f"  [yellow]! {escape(' '.join(filter(None, flag.values())))}[/]")


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
