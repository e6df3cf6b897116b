"""From what was heard of each cell to verdicts. Pure.

nbgrader's rule for points: a test cell counts in full if every check of it passed and it ran to its end, else not at all; one that
passed and ends in a number gives that many points. Where its author asks for it, each assertion gives its share. An exercise's
points are the sum over its test cells. Whatever is not known to have passed gives nothing, and a number that cannot be points
gives nothing and is flagged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Message, Outcome, TestVerdict
from pmh_jupyter.grading.assemble import Step
from pmh_jupyter.grading.feedback import cell_message, stopped_message, test_message
from pmh_jupyter.grading.judge_output import CellResult
from pmh_jupyter.grading.run import NotebookRun
from pmh_jupyter.grading.task import EffectiveLimits

HIDDEN_TEST_NAME, WHOLE_CELL_NAME = "a hidden test", "the test as a whole"
# Of several outcomes of an exercise's tests the first of these is the exercise's.
OUTCOMES_WORST_FIRST = (
    Outcome.GRADER_ERROR,
    Outcome.CRASHED,
    Outcome.TIMED_OUT,
    Outcome.FAILED,
    Outcome.NOT_CHECKED,
    Outcome.PASSED,
)


class NotebookVerdicts:
    """Verdicts of the exercises of one notebook that was run. `points` has the milli-points of each test cell."""

    def __init__(self, run: NotebookRun, millipoints: Mapping[str, int], limits: EffectiveLimits) -> None:
        self.run, self.millipoints, self.limits = run, millipoints, limits
        self.steps = dict(enumerate(run.plan.steps))
        self.grade_ids = {number: step.grade_id for number, step in self.steps.items()}
        self.step_numbers = {step.grade_id: number for number, step in reversed(self.steps.items()) if step.is_test}
        self.fatal_step = self._find_fatal_step()

    def verdict_of(self, exercise: Exercise) -> ExerciseVerdict:
        """The verdict of one exercise of the notebook."""
        if self.run.grader_error:
            return self._verdict_without_tests(exercise, Outcome.GRADER_ERROR, Message("grader-error"))
        if self.run.plan.problem:
            return self._verdict_without_tests(exercise, Outcome.NOT_CHECKED, self.run.plan.problem)
        tests_by_cell = {cell: tuple(self._test_verdicts(exercise, cell)) for cell in exercise.test_cells}
        tests = tuple(test for group in tests_by_cell.values() for test in group)
        earned = sum(self._earned_millipoints(cell) for cell in tests_by_cell)
        if exercise.is_manually_graded:
            outcome, message = Outcome.NEEDS_GRADING, Message("needs-grading")
        else:
            outcome, message = _summarize_tests(tests)
        return ExerciseVerdict(exercise.grade_id, outcome, earned, exercise.max_millipoints, message, tests)

    def credit_flags(self) -> tuple[Flag, ...]:
        """Test cells of which no points could be read, though they passed."""
        results = ((name, self._result_of(name)) for name in self.step_numbers if name)
        invalid = [(name, result) for name, result in results if result and self._has_invalid_credit(name, result)]
        return tuple(Flag("invalid-credit", name, done.invalid_credit or f"{done.credit:g}") for name, done in invalid)

    def _verdict_without_tests(self, exercise: Exercise, outcome: Outcome, message: Message) -> ExerciseVerdict:
        return ExerciseVerdict(exercise.grade_id, outcome, 0, exercise.max_millipoints, message)

    def _result_of(self, grade_id: str) -> CellResult | None:
        """What is known of a test cell."""
        return self.run.results.get(self.step_numbers.get(grade_id, -1))

    def _find_fatal_step(self) -> tuple[int, CellResult] | None:
        """The step after which nothing more was run."""
        last = max(self.run.results, default=-1)
        return (last, self.run.results[last]) if last >= 0 and self.run.results[last].state == "died" else None

    def _earned_millipoints(self, grade_id: str) -> int:
        """The milli-points of one test cell: never less than 0, never more than the cell has."""
        result = self._result_of(grade_id)
        max_millipoints = self.millipoints.get(grade_id, 0)
        if result is None or result.state == "died" or self._has_invalid_credit(grade_id, result):
            return 0
        assertion_millipoints = self.steps[self.step_numbers[grade_id]].assertion_millipoints
        if assertion_millipoints:
            # An assertion's verdict stands at its own place, up to the statement that ended the cell.
            return sum(
                millipoints
                for millipoints, test in zip(assertion_millipoints, result.tests, strict=False)
                if test.outcome == "passed"
            )
        if any(test.outcome != "passed" for test in result.tests) or not result.tests:
            return 0
        return max_millipoints if result.credit is None else round(result.credit * 1000)

    def _has_invalid_credit(self, grade_id: str, result: CellResult) -> bool:
        """A test cell that passed, and then gave what cannot be its points. Compared before it is rounded."""
        if result.invalid_credit:
            return True
        return result.credit is not None and not 0 <= result.credit * 1000 <= self.millipoints.get(grade_id, 0)

    def _test_verdicts(self, exercise: Exercise, grade_id: str) -> Iterator[TestVerdict]:
        """The verdicts of one test cell; at least one."""
        result = self._result_of(grade_id)
        if result is None:
            yield self._unrun_cell_verdict(exercise, grade_id)
            return
        for test in result.tests:
            root_cause = None if test.outcome == "passed" else self._root_cause(exercise, test.reason)
            outcome, message = root_cause or (Outcome(test.outcome), test_message(test, self.limits))
            yield TestVerdict(
                grade_id=grade_id,
                name=HIDDEN_TEST_NAME if test.is_hidden else test.name or WHOLE_CELL_NAME,
                outcome=outcome,
                is_hidden=test.is_hidden,
                message=message,
                expected=None if test.is_hidden else test.expected,
                got=None if test.is_hidden else test.got,
                cell=self.grade_ids.get(test.cell) if test.cell is not None else None,
                line=test.line,
            )
        if result.state == "died":
            yield self._stopped_cell_verdict(grade_id, result)
        elif all(test.outcome == "passed" for test in result.tests):
            yield from self._credit_verdicts(grade_id, result)

    def _credit_verdicts(self, grade_id: str, result: CellResult) -> Iterator[TestVerdict]:
        """What a test cell that passed says of its points, where it does not give them all."""
        params = {"points": f"{self.millipoints.get(grade_id, 0) / 1000:g}"}
        if self._has_invalid_credit(grade_id, result):
            # Not the number itself: it may come from a hidden line.
            message = Message("invalid-credit", params | {"got": result.invalid_credit or "another number"})
        elif result.credit is not None and round(result.credit * 1000) < self.millipoints.get(grade_id, 0):
            message = Message("partial-credit", params | {"earned": f"{result.credit:g}"})
        else:
            return
        yield TestVerdict(grade_id, WHOLE_CELL_NAME, Outcome.FAILED, message=message)

    def _stopped_cell_verdict(self, grade_id: str, result: CellResult) -> TestVerdict:
        """The test cell itself was stopped, or its process died in it: it did not run to its end."""
        return TestVerdict(
            grade_id, WHOLE_CELL_NAME, _outcome_of_stop(result), message=stopped_message(result, self.limits)
        )

    def _unrun_cell_verdict(self, exercise: Exercise, grade_id: str) -> TestVerdict:
        root_cause = self._root_cause(exercise, None)
        if root_cause:
            return TestVerdict(grade_id, WHOLE_CELL_NAME, root_cause[0], message=root_cause[1])
        if self.fatal_step is None or self.fatal_step[1].cause == "submission-timeout":
            return TestVerdict(
                grade_id,
                WHOLE_CELL_NAME,
                Outcome.NOT_CHECKED,
                message=Message("submission-timed-out", _submission_seconds_params(self.limits)),
            )
        number, result = self.fatal_step
        grade_id_of_stop = self.grade_ids.get(number)
        if grade_id_of_stop in exercise.test_cells:
            return TestVerdict(
                grade_id,
                WHOLE_CELL_NAME,
                _outcome_of_stop(result),
                message=stopped_message(result, self.limits),
                cell=grade_id_of_stop,
            )
        return TestVerdict(grade_id, WHOLE_CELL_NAME, Outcome.NOT_CHECKED, message=Message("not-reached"))

    def _root_cause(self, exercise: Exercise, reason: str | None) -> tuple[Outcome, Message] | None:
        """What went wrong in the answer cells, where that explains a test better than its own reason (None: not run) does.

        An answer that did not run to its end explains everything; one that was never given, whatever was run; one that raised or
        is not there, only what its tests raise.
        """
        for number, result in sorted(self.run.results.items()):
            if not self._is_answer_step(self.steps.get(number), exercise, has_died=bool(result.cause)):
                continue
            error_type = result.error.error_type if result.error else ""
            is_explained = reason == "exception" or (reason is not None and error_type == "NotImplementedError")
            if result.cause or (error_type and is_explained):
                return _outcome_of_stop(result), cell_message(result, self.limits)
        missing = self.run.plan.missing_answers.intersection(exercise.solution_cells)
        if missing and reason == "exception":
            return Outcome.FAILED, Message("answer-not-found", {"cell": min(missing)})
        return None

    def _is_answer_step(self, step: Step | None, exercise: Exercise, *, has_died: bool) -> bool:
        """True for the answer's cells, and for a cell of the student's own behind one of them if its process died in it."""
        if step is None or step.is_test:
            return False
        answer_ids = {step.grade_id, *step.merged_answers} | ({step.follows_cell} if has_died else set())
        return not answer_ids.isdisjoint(exercise.solution_cells)


def _summarize_tests(tests: tuple[TestVerdict, ...]) -> tuple[Outcome, Message]:
    for outcome in OUTCOMES_WORST_FIRST:
        for test in tests:
            if test.outcome is outcome:
                return outcome, test.message or Message("solved")
    return Outcome.GRADER_ERROR, Message("grader-error")


def _outcome_of_stop(result: CellResult) -> Outcome:
    if result.cause in ("cell-timeout", "submission-timeout"):
        return Outcome.TIMED_OUT
    if result.state == "died" or (result.error and result.error.error_type == "MemoryError"):
        return Outcome.CRASHED
    return Outcome.FAILED


def _submission_seconds_params(limits: EffectiveLimits) -> dict[str, str]:
    return {"seconds": f"{limits.submission_seconds:g}"}
