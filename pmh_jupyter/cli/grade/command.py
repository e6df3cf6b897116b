"""`pmh grade`: grades submissions on this machine, without a hub and without a database."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Subparsers
    from pmh_jupyter.cli.grade.run import GradeCommandRun
    from pmh_jupyter.config import Settings
    from pmh_jupyter.grading.backends import SandboxBackend
    from pmh_jupyter.grading.submission_reader import SubmissionReader

FAILED_EXIT_CODE = 2
UNMAPPED_EXIT_CODE = 3
INTERRUPTED_EXIT_CODE = 130
CLOSE_TIMEOUT_SECONDS = 5.0


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("grade", help="grade submissions of a lesson, without a hub")
    parser.add_argument("source", help="the lesson with its solutions: a notebook, or the folder that holds it")
    parser.add_argument(
        "submission", nargs="+", help="a notebook, a folder that holds it and its files, or a folder of such folders"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per line and submission")
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=_parse_job_count,
        default=0,
        help="number of gradings at once (default: one per core)",
    )
    parser.add_argument(
        "--output", metavar="FILE", help="append results to FILE as they arrive; the next run continues where it ends"
    )
    parser.set_defaults(run=grade)


def grade(arguments: argparse.Namespace) -> int:
    """Grade the submissions and return the exit code, which does not depend on the scores.

    0    Every path was graded.
    2    An input could not be read, or the grader failed. The other submissions were graded.
    3    A path could not be mapped to a submission of this lesson. All others were graded.
    130  The run was interrupted.
    """
    from pmh_jupyter.config import Settings

    settings = Settings.from_environ()
    with (
        _start_backend(settings) as get_backend,
        _start_reader(arguments.source) as reader,
        _treat_sigterm_as_interrupt(),
    ):
        # The remaining modules are imported while the sandbox starts.
        from pmh_jupyter.authoring.lesson_in_course import read_lesson
        from pmh_jupyter.cli.grade import report
        from pmh_jupyter.cli.grade.discover import find_submissions
        from pmh_jupyter.cli.grade.isolation_store import FileIsolationStore
        from pmh_jupyter.cli.grade.run import GradeCommandRun
        from pmh_jupyter.grading.isolation import IsolationCache

        backend = get_backend()
        source = read_lesson(arguments.source, backend)
        report.print_warnings(source.warnings)
        discovered = find_submissions(
            arguments.submission, source.release, arguments.source, partial(_read_grade_ids, reader)
        )
        report.print_unmapped(discovered.unmapped)
        summary = report.Summary(len(discovered.paths), unmapped=len(discovered.unmapped))
        print_result = (
            report.print_json if arguments.json else report.print_nothing if arguments.output else report.print_table
        )
        limits = settings.grading_limits.apply(source.limits)
        jobs = arguments.jobs or len(os.sched_getaffinity(0))
        run = GradeCommandRun(
            source=source,
            limits=limits,
            backend=backend,
            print_result=print_result,
            summary=summary,
            jobs=jobs,
            isolation_cache=IsolationCache(FileIsolationStore()),
            reader=reader,
            roots=discovered.roots,
        )
        return _run_and_summarize(run, discovered.paths, arguments.output)


def _run_and_summarize(run: GradeCommandRun, paths: list[str], output: str | None) -> int:
    """Grade the paths, print the summary, and return the exit code."""
    exit_code = FAILED_EXIT_CODE
    summary = run.summary
    try:
        run.grade(paths, output)
        has_failed = summary.grader_errors or summary.unreadable
        exit_code = FAILED_EXIT_CODE if has_failed else UNMAPPED_EXIT_CODE if summary.unmapped else 0
    except KeyboardInterrupt:
        exit_code = INTERRUPTED_EXIT_CODE
        resume_hint = " Run the same command again to continue." if output else ""
        print(f"pmh: interrupted after {summary.finished} of {summary.total}.{resume_hint}", file=sys.stderr)
    finally:
        if summary.total != 1 or summary.unmapped or output:
            print(summary, file=sys.stderr)
    return exit_code


@contextlib.contextmanager
def _start_backend(settings: Settings) -> Iterator[Callable[[], SandboxBackend]]:
    """Start a sandbox backend in the background, and close it at the end.

    Yields a function that waits until the backend is ready, and warns if it contains nothing. Closing the backend ends every process in
    the sandbox, and waits at most `CLOSE_TIMEOUT_SECONDS` for this.
    """
    from pmh_jupyter.grading.backends import find_backend

    backend_future: Future[SandboxBackend] = Future()
    threading.Thread(target=_resolve_future, args=(backend_future, lambda: find_backend(settings)), daemon=True).start()

    def get_backend() -> SandboxBackend:
        backend = backend_future.result()
        if not backend.is_contained:
            print(
                "pmh: no sandbox is available, so submissions run as your own user. Run `pmh doctor` to find out why.",
                file=sys.stderr,
            )
        return backend

    def close_backend() -> None:
        if backend_future.exception() is None:  # waits for a backend that is still starting
            backend_future.result().close()

    try:
        yield get_backend
    finally:
        close_thread = threading.Thread(target=close_backend, daemon=True)
        close_thread.start()
        close_thread.join(CLOSE_TIMEOUT_SECONDS)


def _read_grade_ids(reader: SubmissionReader, path: str, root: str) -> frozenset[str]:
    """Return the grade_ids of a notebook: empty if it cannot be read; grading it reports the reason."""
    from pmh_jupyter.authoring.submission_folder import read_grade_ids
    from pmh_jupyter.errors import BadInput

    try:
        return reader.call(read_grade_ids, path, root)
    except BadInput:
        return frozenset()


def _start_reader(source: str) -> SubmissionReader:
    """Start the process that reads submissions of the lesson at this path. It imports its modules while the sandbox starts."""
    from pmh_jupyter.grading.submission_reader import SubmissionReader

    modules = ["pmh_jupyter.authoring.submission_folder", "pmh_jupyter.grading.assemble"]
    if not _has_ipynb(Path(source)):  # so submissions may be text, too
        modules.append("pmh_jupyter.authoring.light_jupytext")
    reader = SubmissionReader(preload=tuple(modules))
    reader.start()
    return reader


def _has_ipynb(path: Path) -> bool:
    return path.suffix == ".ipynb" or any(path.glob("*.ipynb"))


def _resolve_future(future: Future[SandboxBackend], create_backend: Callable[[], SandboxBackend]) -> None:
    try:
        future.set_result(create_backend())
    except BaseException as error:  # noqa: BLE001 (raised again where the result is read)
        future.set_exception(error)


@contextlib.contextmanager
def _treat_sigterm_as_interrupt() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C."""
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
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 999")
    return int(text)
