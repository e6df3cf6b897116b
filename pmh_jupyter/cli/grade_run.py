"""Submissions graded one beside another, and each result told, counted and written as it comes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from pmh_jupyter.authoring.in_course import Source
from pmh_jupyter.authoring.local import read_submission, task_of
from pmh_jupyter.cli import print_error
from pmh_jupyter.cli.grade_judging import Remembered
from pmh_jupyter.cli.grade_pool import in_parallel
from pmh_jupyter.cli.grade_results import Results, key_of
from pmh_jupyter.cli.grade_tell import Summary, as_json, progress
from pmh_jupyter.domain.ids import content_hash
from pmh_jupyter.domain.judging import GRADER
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.errors import PmhError
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.task import Limits
from pmh_jupyter.grading.walls import Wall

Tell = Callable[[dict[str, Any], Grading], None]


@dataclass(frozen=True)
class Graded:
    """What became of one submission: graded now, known from an earlier run (no `grading`), or an `error`."""

    line: dict[str, Any]
    grading: Grading | None = None
    error: PmhError | None = None


@dataclass(frozen=True)
class Run:
    """One run of `pmh grade`. Submissions are read when their turn comes, so that thousands take no more memory than a few."""

    source: Source
    limits: Limits
    wall: Wall
    tell: Tell
    summary: Summary
    jobs: int
    judgings: Remembered

    def grade(self, paths: list[str], output: str | None) -> None:
        """Grades the submissions at these paths; with `output`, those that stand there already are not graded again."""
        with ExitStack() as stack:
            results = stack.enter_context(Results(output)) if output else None
            step = stack.enter_context(progress(self.summary))
            for graded in in_parallel(lambda path: self._grade_one(path, results), paths, self.jobs):
                self._take(graded, results)
                step()

    def _grade_one(self, path: str, results: Results | None) -> Graded:
        """On a thread of its own: reads, and grades what is not known."""
        line: dict[str, Any] = {"submission": path}
        try:
            files = read_submission(path)
            line |= {"hash": content_hash(files), "release": self.source.release.id, "grader": GRADER}
            known = results.already(path, key_of(line)) if results else None
            if known:
                return Graded(known)
            task = task_of(self.source.release, files, self.limits, self.source.preload)
            grading = grade(replace(task, judging=self.judgings.of(task)), self.wall)
        except PmhError as error:
            return Graded(line, error=error)
        return Graded(as_json(path, grading) | line | {"fault": grading.fault is not None}, grading)

    def _take(self, graded: Graded, results: Results | None) -> None:
        if graded.error:
            print_error(graded.error)
            self.summary.unread += 1
            return
        if graded.grading and results:
            results.add(graded.line)
        if graded.grading:
            told = {
                name: value for name, value in graded.line.items() if name not in ("hash", "release", "grader", "fault")
            }
            self.tell(told, graded.grading)
        self.summary.count(graded.line, known=graded.grading is None)
