"""Turns the results of cells into verdicts. Pure.

Points follow nbgrader's rule: a test cell gives all of its points if it ran to its end and all of its tests passed, otherwise none. A
cell that passed and ends in a number gives that many points. If the author requests weights, each assertion gives its part. A test
without a result gives no points. A number that cannot be points gives none and is flagged, and so is any other value except None where the
solution ends in a number; None gives none, too. An exercise's points are the sum over its test cells.

Each exercise has one reason. The message of a test that could not be evaluated says only this. It repeats neither the reason nor the
author's message about values that were not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Message, Outcome, TestResult
from pmh_jupyter.grading.assemble import Step
from pmh_jupyter.grading.feedback import make_cell_message, make_stopped_message, make_test_message
from pmh_jupyter.grading.judge_output import CellError, CellResult, JudgeTestResult
from pmh_jupyter.grading.run import NotebookRun
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

HIDDEN_TEST_NAME, WHOLE_CELL_NAME = "a hidden test", "the test as a whole"
NOT_EVALUATED = Message("test-not-evaluated")
_UNDEFINED_NAME_PATTERN = re.compile(r"name '([^\W\d]\w*)' is not defined")
# The outcome of an exercise is the worst outcome of its tests.
OUTCOMES_WORST_FIRST = (
    Outcome.GRADER_ERROR,
    Outcome.CRASHED,
    Outcome.TIMED_OUT,
    Outcome.FAILED,
    Outcome.NOT_CHECKED,
    Outcome.PASSED,
)


@dataclass(frozen=True)
class _ResultAndReason:
    """The result of a test, and the reason that its exercise gets if this test decides the outcome."""

    result: TestResult
    reason: Message | None


class NotebookVerdicts:
    """The verdicts of one notebook's exercises. `millipoints` are those of each test cell by grade_id."""

    def __init__(self, run: NotebookRun, millipoints: Mapping[str, int], limits: EffectiveLimits) -> None:
        self.run, self.millipoints, self.limits = run, millipoints, limits
        self.steps = dict(enumerate(run.plan.steps))
        self.grade_ids = {number: step.grade_id for number, step in self.steps.items()}
        self.step_numbers = {step.grade_id: number for number, step in reversed(self.steps.items()) if step.is_test}
        self.fatal_step = self._find_fatal_step()

    def make_verdict(self, exercise: Exercise) -> ExerciseVerdict:
        """Return the verdict of one exercise of the notebook."""
        if self.run.grader_error:
            return self._make_verdict_without_tests(exercise, Outcome.GRADER_ERROR, Message("grader-error"))
        if self.run.plan.problem:
            return self._make_verdict_without_tests(exercise, Outcome.NOT_CHECKED, self.run.plan.problem)
        tests = [test for cell in exercise.test_cells for test in self._iter_cell_results(exercise, cell)]
        if self._has_no_visible_tests(exercise) and all(test.result.outcome is Outcome.PASSED for test in tests):
            root_cause = self._find_root_cause(exercise, TestReason.EXCEPTION)
            outcome, message = root_cause or (Outcome.NOT_CHECKED, Message("no-visible-tests"))
            return self._make_verdict_without_tests(exercise, outcome, message)
        earned_millipoints = sum(self._compute_earned_millipoints(cell) for cell in exercise.test_cells)
        if exercise.is_manually_graded:
            outcome, message = Outcome.NEEDS_GRADING, Message("needs-grading")
        else:
            outcome, message = _summarize_tests(tests)
        results = tuple(test.result for test in tests)
        return ExerciseVerdict(
            exercise.grade_id, outcome, earned_millipoints, exercise.max_millipoints, message, results
        )

    def _has_no_visible_tests(self, exercise: Exercise) -> bool:
        """Return whether this run was without hidden tests, and the exercise has no others."""
        steps = [self.steps[self.step_numbers[cell]] for cell in exercise.test_cells if cell in self.step_numbers]
        is_untested = bool(steps) and all(step.is_untested for step in steps)
        return is_untested and not exercise.is_manually_graded

    def list_credit_flags(self) -> tuple[Flag, ...]:
        """Return a flag for each test cell that passed, but whose last expression is not a valid number of points."""
        results = ((name, self._find_result(name)) for name in self.step_numbers if name)
        invalid = [
            (name, result)
            for name, result in results
            if result and result.credit_kind != "none" and self._has_invalid_credit(name, result)
        ]
        return tuple(
            Flag("invalid-credit", name, result.invalid_credit or f"{result.credit:g}") for name, result in invalid
        )

    def _make_verdict_without_tests(self, exercise: Exercise, outcome: Outcome, message: Message) -> ExerciseVerdict:
        return ExerciseVerdict(exercise.grade_id, outcome, 0, exercise.max_millipoints, message)

    def _find_result(self, grade_id: str) -> CellResult | None:
        """Return the result of a test cell."""
        return self.run.results.get(self.step_numbers.get(grade_id, -1))

    def _find_fatal_step(self) -> tuple[int, CellResult] | None:
        """Return the step that ended the run, with its result, if there is one."""
        last = max(self.run.results, default=-1)
        return (last, self.run.results[last]) if last >= 0 and self.run.results[last].state == "died" else None

    def _compute_earned_millipoints(self, grade_id: str) -> int:
        """Return the milli-points that one test cell earns, from 0 to its maximum."""
        result = self._find_result(grade_id)
        max_millipoints = self.millipoints.get(grade_id, 0)
        if result is None or result.state == "died" or self._has_invalid_credit(grade_id, result):
            return 0
        assertion_millipoints = self.steps[self.step_numbers[grade_id]].assertion_millipoints
        if assertion_millipoints:
            # Results are in the order of assertions, up to the statement that ended the cell.
            return sum(
                millipoints
                for millipoints, test in zip(assertion_millipoints, result.tests, strict=False)
                if test.outcome == "passed"
            )
        if any(test.outcome != "passed" for test in result.tests) or not result.tests:
            return 0
        return max_millipoints if result.credit is None else _round_credit(result.credit, max_millipoints)

    def _has_invalid_credit(self, grade_id: str, result: CellResult) -> bool:
        """Return whether a test cell that passed has a credit that is not a valid number of points.

        `result_filters` has left the kind "none" only where the reference has a number.
        """
        if result.invalid_credit:
            return True
        if result.credit_kind == "none":
            return not self.steps[self.step_numbers[grade_id]].assertion_millipoints
        max_millipoints = self.millipoints.get(grade_id, 0)
        return result.credit is not None and not 0 <= _round_credit(result.credit, max_millipoints) <= max_millipoints

    def _iter_cell_results(self, exercise: Exercise, grade_id: str) -> Iterator[_ResultAndReason]:
        """Yield the results of one test cell; at least one."""
        cell_result = self._find_result(grade_id)
        if cell_result is None:
            yield self._make_unrun_cell_result(exercise, grade_id)
            return
        for test in cell_result.tests:
            yield self._make_test_result(exercise, grade_id, test)
        if cell_result.state == "died":
            message = make_stopped_message(cell_result, self.limits)
            yield _pair_with_own_reason(
                TestResult(grade_id, WHOLE_CELL_NAME, _choose_outcome_of_stop(cell_result), message=message)
            )
        elif all(test.outcome == "passed" for test in cell_result.tests):
            yield from map(_pair_with_own_reason, self._iter_credit_results(grade_id, cell_result))

    def _make_test_result(self, exercise: Exercise, grade_id: str, test: JudgeTestResult) -> _ResultAndReason:
        root_cause = None if test.outcome == "passed" else self._find_root_cause(exercise, test.reason)
        outcome, reason = root_cause or (Outcome(test.outcome), self._find_test_reason(test))
        is_evaluated = root_cause is None and not _uses_undefined_name(test)
        result = TestResult(
            grade_id=grade_id,
            name=HIDDEN_TEST_NAME if test.is_hidden else test.name or WHOLE_CELL_NAME,
            outcome=outcome,
            is_hidden=test.is_hidden,
            message=reason,
            # `result_filters` has removed the values of hidden tests. They are withheld here too, because results are stored and printed.
            expected=None if test.is_hidden else test.expected,
            got=None if test.is_hidden else test.got,
            cell=self.grade_ids.get(test.cell) if test.cell is not None else None,
            line=test.line,
        )
        if not is_evaluated:
            name = result.name if test.is_hidden else test.expression or result.name
            result = replace(result, name=name, message=NOT_EVALUATED)
        return _ResultAndReason(result, reason)

    def _find_test_reason(self, test: JudgeTestResult) -> Message | None:
        if not test.is_hidden and (message := self._find_discarded_name_message(test)):
            return message
        return make_test_message(test, self.limits)

    def _find_discarded_name_message(self, error: CellError) -> Message | None:
        """Return a message for a NameError about a name that the student defined in a cell that was replaced."""
        name = _find_undefined_name(error)
        cell = self.run.plan.discarded_names.get(name or "")
        if not name or not cell:
            return None
        return Message("name-defined-in-locked-cell", {"name": name, "cell": cell})

    def _iter_credit_results(self, grade_id: str, result: CellResult) -> Iterator[TestResult]:
        """Yield a result for a test cell that passed and does not give all of its points."""
        max_millipoints = self.millipoints.get(grade_id, 0)
        params = {"points": f"{max_millipoints / 1000:g}"}
        if self._has_invalid_credit(grade_id, result):
            # The value itself is not shown, because it may come from a hidden line, and its class may be named after one.
            is_number = result.credit_kind not in ("none", "other")
            message = Message("invalid-credit" if is_number else "credit-not-a-number", params)
        elif result.credit is not None and _round_credit(result.credit, max_millipoints) < max_millipoints:
            message = Message("partial-credit", params | {"earned": f"{result.credit:g}"})
        else:
            return
        yield TestResult(grade_id, WHOLE_CELL_NAME, Outcome.FAILED, message=message)

    def _make_unrun_cell_result(self, exercise: Exercise, grade_id: str) -> _ResultAndReason:
        """Return the result of a test cell that did not run."""
        root_cause = self._find_root_cause(exercise, None)
        if root_cause:
            outcome, reason = root_cause
            return _ResultAndReason(TestResult(grade_id, WHOLE_CELL_NAME, outcome, message=NOT_EVALUATED), reason)
        result = TestResult(grade_id, WHOLE_CELL_NAME, Outcome.NOT_CHECKED)
        if self.fatal_step is None or self.fatal_step[1].cause == "submission-timeout":
            params = {"seconds": f"{self.limits.submission_seconds:g}"}
            return _pair_with_own_reason(replace(result, message=Message("submission-timed-out", params)))
        number, fatal_result = self.fatal_step
        fatal_cell = self.grade_ids.get(number)
        if fatal_cell in exercise.test_cells:
            message, outcome = make_stopped_message(fatal_result, self.limits), _choose_outcome_of_stop(fatal_result)
            result = replace(result, outcome=outcome, message=NOT_EVALUATED, cell=fatal_cell)
            return _ResultAndReason(result, message)
        return _pair_with_own_reason(replace(result, message=Message("not-reached")))

    def _find_root_cause(self, exercise: Exercise, reason: TestReason | None) -> tuple[Outcome, Message] | None:
        """Return the failure of an answer cell if it explains a failed test better than the test's own `reason` (None: it did not run).

        An answer that was stopped, or that still has the stub, explains every test. An answer that raised, or whose cell was not found,
        explains only tests that raise.
        """
        for number, result in sorted(self.run.results.items()):
            if not self._is_answer_step(self.steps.get(number), exercise, has_died=bool(result.cause)):
                continue
            error_type = result.error.error_type if result.error else ""
            is_explained = reason is TestReason.EXCEPTION or (
                reason is not None and error_type == "NotImplementedError"
            )
            if result.cause or (error_type and is_explained):
                message = self._find_discarded_name_message(result.error) if result.error else None
                return _choose_outcome_of_stop(result), message or make_cell_message(result, self.limits)
        missing = self.run.plan.missing_answers.intersection(exercise.solution_cells)
        if missing and reason is TestReason.EXCEPTION:
            return Outcome.FAILED, Message("answer-not-found", {"cell": min(missing)})
        return None

    def _is_answer_step(self, step: Step | None, exercise: Exercise, *, has_died: bool) -> bool:
        """Return whether a step is an answer of the exercise, or a cell that the student added after one and that ended its process."""
        if step is None or step.is_test:
            return False
        answer_ids = {step.grade_id, *step.merged_answers} | ({step.follows_cell} if has_died else set())
        return not answer_ids.isdisjoint(exercise.solution_cells)


def _pair_with_own_reason(result: TestResult) -> _ResultAndReason:
    return _ResultAndReason(result, result.message)


def _round_credit(credit: float, max_millipoints: int) -> int:
    """Round points to milli-points, so that 0.1 + 0.1 + 0.1 counts as 0.3. Return -1 or the maximum plus 1 for numbers out of range."""
    millipoints = credit * 1000
    if not -1 < millipoints < max_millipoints + 1:
        return -1 if millipoints < 0 else max_millipoints + 1
    return round(millipoints)


def _find_undefined_name(error: CellError) -> str | None:
    match = _UNDEFINED_NAME_PATTERN.match(error.detail) if error.error_type == "NameError" else None
    return match[1] if match else None


def _uses_undefined_name(test: JudgeTestResult) -> bool:
    """Return whether a test itself (not the student's code that it called) used a name that is not defined."""
    return test.reason is TestReason.EXCEPTION and test.error_type == "NameError" and test.cell is None


def _summarize_tests(tests: list[_ResultAndReason]) -> tuple[Outcome, Message]:
    """Return the worst outcome, with the reason of the first test that has it."""
    for outcome in OUTCOMES_WORST_FIRST:
        for test in tests:
            if test.result.outcome is outcome:
                return outcome, test.reason or Message("solved")
    return Outcome.GRADER_ERROR, Message("grader-error")


def _choose_outcome_of_stop(result: CellResult) -> Outcome:
    if result.cause in ("cell-timeout", "submission-timeout"):
        return Outcome.TIMED_OUT
    if result.state == "died" or (result.error and result.error.error_type == "MemoryError"):
        return Outcome.CRASHED
    return Outcome.FAILED
