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
    from pmh_jupyter.cli import Subparsers
    from pmh_jupyter.cli.grade.run import GradingRun
    from pmh_jupyter.config import Settings
    from pmh_jupyter.grading.backends import SandboxBackend

INTERRUPTED_EXIT_CODE = 130
CLOSE_TIMEOUT_SECONDS = 5.0


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("grade", help="grade submissions of a lesson, without a hub")
    parser.add_argument("source", help="the lesson with its solutions: a notebook, or the folder that holds it")
    parser.add_argument(
        "submission", nargs="+", help="a notebook, a folder that holds it and its files, or a folder of such folders"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line and submission")
    parser.add_argument(
        "--jobs", metavar="N", type=_parse_job_count, default=0, help="gradings at once; one for each core"
    )
    parser.add_argument("--output", metavar="FILE", help="write results there as they come; go on where it ends")
    parser.set_defaults(run=grade)


def grade(arguments: argparse.Namespace) -> int:
    """0 whatever the scores; 2 where an input cannot be read, or a fault of ours: the other submissions are graded all the same;
    130 where it was interrupted."""
    from pmh_jupyter.config import Settings

    settings = Settings.from_environ()
    with _start_backend(settings) as get_backend, _sigterm_as_interrupt():
        # While the sandbox starts, what else is needed is imported.
        from pmh_jupyter.authoring.lesson_in_course import read_lesson
        from pmh_jupyter.cli.grade.discover import find_submissions
        from pmh_jupyter.cli.grade.isolation_cache import PersistentIsolationCache
        from pmh_jupyter.cli.grade.report import Summary, print_json, print_nothing, print_table
        from pmh_jupyter.cli.grade.run import GradingRun

        backend = get_backend()
        source = read_lesson(arguments.source, backend)
        discovered = find_submissions(arguments.submission, source.release)
        summary = Summary(len(discovered.paths), folders_without_submission=discovered.folders_without_submission)
        print_result = print_json if arguments.json else print_nothing if arguments.output else print_table
        limits = settings.grading_limits.with_requested(source.limits)
        jobs = arguments.jobs or len(os.sched_getaffinity(0))
        run = GradingRun(source, limits, backend, print_result, summary, jobs, PersistentIsolationCache(backend))
        return _run_and_summarize(run, discovered.paths, arguments.output)


def _run_and_summarize(run: GradingRun, paths: list[str], output: str | None) -> int:
    """Grades, and says at the end what became of all."""
    exit_code = 2
    try:
        run.grade(paths, output)
        exit_code = 2 if run.summary.grader_errors or run.summary.unreadable else 0
    except KeyboardInterrupt:
        exit_code = INTERRUPTED_EXIT_CODE
        resume_hint = " The same command goes on from here." if output else ""
        print(f"pmh: interrupted after {run.summary.finished} of {run.summary.total}.{resume_hint}", file=sys.stderr)
    finally:
        if run.summary.total > 1 or output:
            print(run.summary, file=sys.stderr)
    return exit_code


@contextlib.contextmanager
def _start_backend(settings: Settings) -> Iterator[Callable[[], SandboxBackend]]:
    """A wall is started; what it is, is asked for when it is needed, and said where submissions can reach this machine.

    At the end all that runs behind it is ended, and is not waited for long.
    """
    from pmh_jupyter.grading.backends import find_backend

    backend_future: Future[SandboxBackend] = Future()
    threading.Thread(target=_resolve_future, args=(backend_future, lambda: find_backend(settings)), daemon=True).start()

    def get_backend() -> SandboxBackend:
        backend = backend_future.result()
        if not backend.is_contained:
            print("pmh: no sandbox can be had here, so submissions run as you. `pmh doctor` says why.", file=sys.stderr)
        return backend

    def close_backend() -> None:
        if backend_future.exception() is None:  # waits for one that is just being started
            backend_future.result().close()

    try:
        yield get_backend
    finally:
        close_thread = threading.Thread(target=close_backend, daemon=True)
        close_thread.start()
        close_thread.join(CLOSE_TIMEOUT_SECONDS)


def _resolve_future(future: Future[SandboxBackend], create_backend: Callable[[], SandboxBackend]) -> None:
    try:
        future.set_result(create_backend())
    except BaseException as error:  # noqa: BLE001 (it is raised where the result is asked for)
        future.set_exception(error)


@contextlib.contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """TERM is as good as Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous_handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous_handler)


def _parse_job_count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1000:
        raise argparse.ArgumentTypeError("must be a whole number from 1 on")
    return int(text)
