"""Grades submissions in parallel, and prints, counts and writes each result as it arrives."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from pmh_jupyter.authoring.lesson_in_course import GradingSource
from pmh_jupyter.authoring.submission_folder import read_submission
from pmh_jupyter.cli import print_error
from pmh_jupyter.cli.grade.pool import map_in_parallel
from pmh_jupyter.cli.grade.report import Summary, show_progress
from pmh_jupyter.cli.grade.result_line import ResultLine, make_result_line
from pmh_jupyter.cli.grade.results import EarlierResult, NewResult, ResultKey, ResultsFile
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.hashing import compute_content_hash
from pmh_jupyter.domain.isolation import GRADER_VERSION
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.errors import PmhError, Unavailable, UnreadableSubmission
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.grade import grade, make_failed_grading
from pmh_jupyter.grading.isolation import IsolationCache
from pmh_jupyter.grading.submission_reader import SubmissionReader

log = logging.getLogger(__name__)

ResultPrinter = Callable[[ResultLine], None]


@dataclass(frozen=True)
class UngradedSubmission:
    """A submission that could not be graded, with the reason."""

    error: PmhError


SubmissionResult = NewResult | EarlierResult | UngradedSubmission


@dataclass(frozen=True)
class GradeCommandRun:
    """One run of `pmh grade`. Each submission is read just before it is graded, so memory does not grow with their number.

    roots: for each submission, the path on the command line at or below which it was found.
    """

    source: GradingSource
    limits: EffectiveLimits
    backend: SandboxBackend
    print_result: ResultPrinter
    summary: Summary
    jobs: int
    isolation_cache: IsolationCache
    reader: SubmissionReader
    roots: Mapping[str, str]

    def grade(self, paths: list[str], output: str | None) -> None:
        """Grade the submissions at these paths. Submissions that have a result in the file `output` are not graded again."""
        with ExitStack() as stack:
            results_file = stack.enter_context(ResultsFile(output)) if output else None
            advance = stack.enter_context(show_progress(self.summary))
            for result in map_in_parallel(lambda path: self._grade_one(path, results_file), paths, self.jobs):
                self._record_result(result, results_file)
                advance()

    def _grade_one(self, path: str, results_file: ResultsFile | None) -> SubmissionResult:
        """Read one submission, and grade it unless the results file has its result. Runs on a worker thread."""
        try:
            submission = self.reader.call(read_submission, path, self.roots.get(path, path))
            key = ResultKey(compute_content_hash(submission.files), self.source.release.id, GRADER_VERSION)
            earlier_result = results_file.find_result(path, key) if results_file else None
            if earlier_result:
                return earlier_result
            task = GradingTask.from_release(self.source.release, submission.files, self.limits, self.source.preload)
            grading = self._grade_task(task)
            grading = replace(grading, repairs=(*submission.messages, *grading.repairs))
        except UnreadableSubmission as error:
            return UngradedSubmission(UnreadableSubmission(error.reason, path))
        except PmhError as error:
            return UngradedSubmission(error)
        line = make_result_line(path, grading, self.source.release.exercises)
        return NewResult(line, key, grading.grader_error is not None)

    def _grade_task(self, task: GradingTask) -> Grading:
        try:
            isolation = self.isolation_cache.get_or_decide(task, self.backend)
        except Unavailable as error:
            log.error("grading failed: %s", error.message)
            return make_failed_grading(task)
        return grade(replace(task, isolation=isolation), self.backend, self.reader.assemble)

    def _record_result(self, result: SubmissionResult, results_file: ResultsFile | None) -> None:
        if isinstance(result, UngradedSubmission):
            print_error(result.error)
            self.summary.unreadable += 1
        elif isinstance(result, EarlierResult):
            self.summary.add_score(result.score, result.max_score, is_reused=True)
        else:
            self._record_new_result(result, results_file)

    def _record_new_result(self, result: NewResult, results_file: ResultsFile | None) -> None:
        if results_file:
            results_file.append(result)
        self.print_result(result.line)
        if result.is_grader_error:
            self.summary.grader_errors += 1
        else:
            self.summary.add_score(result.line.score, result.line.max_score)
