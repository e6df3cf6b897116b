"""`pmh grade`: submissions graded on this machine, without a hub and without a database."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Commands
    from pmh_jupyter.cli.grade_run import Run
    from pmh_jupyter.config import Settings
    from pmh_jupyter.grading.task import Limits
    from pmh_jupyter.grading.walls import Wall

INTERRUPTED = 130
CLOSE_SECONDS = 5.0


def register(commands: Commands) -> None:
    parser = commands.add_parser("grade", help="grade submissions of a lesson, without a hub")
    parser.add_argument("source", help="the lesson with its solutions: a notebook, or the folder that holds it")
    parser.add_argument(
        "submission", nargs="+", help="a notebook, a folder that holds it and its files, or a folder of such folders"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line and submission")
    parser.add_argument("--jobs", metavar="N", type=_count, default=0, help="gradings at once; one for each core")
    parser.add_argument("--output", metavar="FILE", help="write results there as they come; go on where it ends")
    parser.set_defaults(run=grade)


def grade(arguments: argparse.Namespace) -> int:
    """0 whatever the scores; 2 where an input cannot be read, or a fault of ours: the other submissions are graded all the same;
    130 where it was interrupted."""
    from pmh_jupyter.config import Settings

    settings = Settings.from_environ()
    with _wall(settings) as found_wall, _interruptible():
        # While the sandbox starts, what else is needed is imported.
        from pmh_jupyter.authoring.in_course import read_lesson
        from pmh_jupyter.cli.grade_found import find_submissions
        from pmh_jupyter.cli.grade_judging import Remembered
        from pmh_jupyter.cli.grade_run import Run
        from pmh_jupyter.cli.grade_tell import Summary, tell_json, tell_nothing, tell_person
        from pmh_jupyter.grading.task import with_asked

        wall = found_wall()
        source = read_lesson(arguments.source, wall)
        found = find_submissions(arguments.submission, source.release)
        summary = Summary(len(found.paths), without=found.without)
        tell = tell_json if arguments.json else tell_nothing if arguments.output else tell_person
        limits = with_asked(_limits(settings), source.limits)
        jobs = arguments.jobs or len(os.sched_getaffinity(0))
        run = Run(source, limits, wall, tell, summary, jobs, Remembered(wall))
        return _told(run, found.paths, arguments.output)


def _told(run: Run, paths: list[str], output: str | None) -> int:
    """Grades, and says at the end what became of all."""
    code = 2
    try:
        run.grade(paths, output)
        code = 2 if run.summary.faults or run.summary.unread else 0
    except KeyboardInterrupt:
        code = INTERRUPTED
        again = " The same command goes on from here." if output else ""
        print(f"pmh: interrupted after {run.summary.done} of {run.summary.total}.{again}", file=sys.stderr)
    finally:
        if run.summary.total > 1 or output:
            print(run.summary, file=sys.stderr)
    return code


@contextlib.contextmanager
def _wall(settings: Settings) -> Iterator[Callable[[], Wall]]:
    """A wall is started; what it is, is asked for when it is needed, and said where submissions can reach this machine.

    At the end all that runs behind it is ended, and is not waited for long.
    """
    from pmh_jupyter.grading.walls import find_wall

    coming: Future[Wall] = Future()
    threading.Thread(target=_fulfil, args=(coming, lambda: find_wall(settings)), daemon=True).start()

    def found() -> Wall:
        wall = coming.result()
        if not wall.contained:
            print("pmh: no sandbox can be had here, so submissions run as you. `pmh doctor` says why.", file=sys.stderr)
        return wall

    def close() -> None:
        if coming.exception() is None:  # waits for one that is just being started
            coming.result().close()

    try:
        yield found
    finally:
        closing = threading.Thread(target=close, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


def _fulfil(promise: Future[Wall], work: Callable[[], Wall]) -> None:
    try:
        promise.set_result(work())
    except BaseException as error:  # noqa: BLE001 (it is raised where the result is asked for)
        promise.set_exception(error)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """TERM is as good as Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _limits(settings: Settings) -> Limits:
    from pmh_jupyter.grading.task import Limits

    return Limits(
        cell_seconds=settings.cell_seconds,
        submission_seconds=settings.submission_seconds,
        memory_bytes=settings.grading_memory_mb << 20,
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1000:
        raise argparse.ArgumentTypeError("must be a whole number from 1 on")
    return int(text)
