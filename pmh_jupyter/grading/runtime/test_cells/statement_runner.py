"""Runs the statements of a test cell one by one, and returns the result of each."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from pmh_jupyter.grading.runtime.execution.shell import describe_cell_error
from pmh_jupyter.grading.runtime.execution.text_clipping import clip
from pmh_jupyter.grading.runtime.test_cells.assertion_recorder import AssertionRecorder
from pmh_jupyter.grading.runtime.test_cells.code_filenames import TEST_CELL_FILENAME, is_helper_filename
from pmh_jupyter.grading.runtime.test_cells.flag_collector import FlagCollector
from pmh_jupyter.grading.runtime.test_cells.partial_credit import pop_credit
from pmh_jupyter.grading.runtime.test_cells.statements import StatementSpec
from pmh_jupyter.grading.runtime.transport.result_fields import TestCellFields, TestFields, TestReason

MAX_TEST_RESULTS = 500


@dataclass
class StatementRunner:
    """Runs the statements of one test cell. Each isolation has a subclass that executes statements.

    user_ns: the namespace of the statements. run_coroutine: runs a statement that awaits something.
    leading_blank_lines: see `describe_cell_error`.

    Each result has name, expression, is_hidden, outcome (passed, failed, crashed, timed-out, not-checked, grader-error), reason
    (see `judge_output.JudgeTestResult`), text (the author's message, or a detail of the reason), expected, got, and the fields of
    `describe_cell_error`.
    """

    user_ns: dict[str, Any]
    run_coroutine: Callable[[Any], Any]
    recorder: AssertionRecorder
    leading_blank_lines: dict[int, int]
    flag_collector: FlagCollector
    is_stopped: bool = field(default=False, init=False)

    def run_all(self, statements: list[Any]) -> TestCellFields:
        """Run the statements, each a `Statement` or the subclass's equivalent. Returns all fields but flags.

        A statement is removed from the list before it runs.

        As in nbgrader, a test cell without an assertion passes if it runs to its end.
        """
        tests: list[TestFields] = []
        credit: TestCellFields = {}
        while statements:
            statement = statements.pop(0)
            if self.is_stopped:
                if statement.has_assertion:
                    tests.append(make_test_result(statement, "not-checked", TestReason.NONE))
                continue
            test = self._run_statement(statement)
            self.is_stopped = test["outcome"] == "timed-out" or (
                test["outcome"] != "passed" and not statement.has_assertion
            )
            if statement.has_assertion or test["outcome"] != "passed":
                tests.append(test)
            elif statement.is_credit_expression:
                credit = pop_credit(self.user_ns)
        return {"tests": _limit_results(tests) or [make_test_result(None, "passed", TestReason.NONE)]} | credit

    def _run_statement(self, statement: StatementSpec) -> TestFields:
        self.recorder.reset()
        self.recorder.comparison_counts.begin_statement(statement.position)
        self.recorder.comparator.statement_line = statement.line
        # Looked up before student code runs, which could replace them in the class.
        make_passed_result, make_failed_result = self._build_passed_result, self._build_failed_result
        error = self._execute_statement(statement)
        if error is None:
            return make_passed_result(statement)
        try:
            return make_failed_result(statement, error)
        finally:
            _detach_tracebacks(error)

    def _execute_statement(self, statement: Any) -> BaseException | None:
        """Run a statement. Returns the exception that it raised, if any."""
        raise NotImplementedError

    def _execute_code(self, code: CodeType) -> None:
        if code.co_flags & inspect.CO_COROUTINE:
            self.run_coroutine(eval(code, self.user_ns))
        else:
            exec(code, self.user_ns)

    def _build_passed_result(self, statement: StatementSpec) -> TestFields:
        """Return the result of a statement that raised nothing. It has passed only if an assertion was reached."""
        if statement.has_assertion and self.recorder.assertion_count == 0:
            self.flag_collector.add(
                "assertion-skipped" if statement.always_asserts else "no-assertion-ran", statement.name
            )
            if statement.always_asserts:
                return make_test_result(statement, "failed", TestReason.NOT_MET)
        shortfall = self.recorder.comparison_counts.find_shortfall()
        if shortfall:
            return make_test_result(
                statement, "failed", shortfall.reason, got=shortfall.got, expected=shortfall.expected
            )
        return make_test_result(statement, "passed", TestReason.NONE)

    def _build_failed_result(self, statement: StatementSpec, error: BaseException) -> TestFields:
        if isinstance(error, KeyboardInterrupt):
            outcome, reason = "timed-out", TestReason.TIMED_OUT
        elif isinstance(error, MemoryError):
            outcome, reason = "crashed", TestReason.MEMORY
        elif isinstance(error, AssertionError) or (
            self.recorder.got == "no error" and type(error).__name__ == "Failed"
        ):
            return self._build_unmet_result(statement, error)
        else:
            outcome, reason = "failed", TestReason.EXCEPTION
        include_detail = reason is TestReason.EXCEPTION and not statement.is_hidden
        cell_error = describe_cell_error(error, self.leading_blank_lines, include_detail=include_detail)
        return make_test_result(statement, outcome, reason, **cell_error)

    def _build_unmet_result(self, statement: StatementSpec, error: BaseException) -> TestFields:
        """Return the result of a failed assertion: the author's message if there is one, else the values."""
        cell_error = describe_cell_error(error, self.leading_blank_lines, include_detail=False)
        if cell_error["cell"] is not None:  # raised by an assertion in the student's own code
            return make_test_result(statement, "failed", TestReason.EXCEPTION, **cell_error)
        recorder = self.recorder
        feedback = recorder.failed_site.feedback if recorder.failed_site else ""
        # The message of a library's assertion may contain the expected value.
        # A helper's message is the author's, but may contain values that a hidden test has passed to the helper.
        filename = _find_raising_filename(error)
        is_author_message = filename == TEST_CELL_FILENAME or (is_helper_filename(filename) and not statement.is_hidden)
        text = (_format_assertion_message(error) if is_author_message else "") or feedback
        if not text and not is_author_message and not statement.is_hidden and recorder.got is None:
            text = _format_assertion_message(error)
        if recorder.got is None or statement.is_hidden:
            return make_test_result(
                statement, "failed", TestReason.AUTHOR_MESSAGE if text else TestReason.NOT_MET, text=text
            )
        values = {"expression": recorder.expression, "expected": recorder.expected, "got": recorder.got}
        return make_test_result(
            statement, "failed", TestReason.AUTHOR_MESSAGE if text else TestReason.VALUES_DIFFER, text=text, **values
        )


def _find_raising_filename(error: BaseException) -> str:
    """Return the file name of the code that raised the error: TEST_CELL_FILENAME for a line of the test cell itself."""
    entry = error.__traceback__
    while entry is not None and entry.tb_next is not None:
        entry = entry.tb_next
    return entry.tb_frame.f_code.co_filename if entry is not None else ""


def _detach_tracebacks(error: BaseException) -> None:
    """Remove tracebacks that lead into the test, because the student's code may keep the exceptions that it raised."""
    pending_errors: list[BaseException | None] = [error]
    for _ in range(100):
        if not pending_errors:
            return
        current = pending_errors.pop()
        if current is not None:
            current.__traceback__ = None
            pending_errors += [current.__context__, current.__cause__]
            current.__context__ = None


def _limit_results(tests: list[TestFields]) -> list[TestFields]:
    """Limit the number of results. If there are too many, those that did not pass take precedence."""
    if len(tests) <= MAX_TEST_RESULTS:
        return tests
    return ([test for test in tests if test["outcome"] != "passed"] or tests)[:MAX_TEST_RESULTS]


def _format_assertion_message(error: BaseException) -> str:
    try:
        return clip(str(error.args[0]), 1_000) if error.args else ""
    except Exception:  # noqa: BLE001 - the message may be a student's object
        return ""


def make_test_result(statement: StatementSpec | None, outcome: str, reason: TestReason, **fields: Any) -> TestFields:
    result: TestFields = {
        "name": statement.name if statement else "",
        "expression": statement.expression if statement else "",
        "is_hidden": statement.is_hidden if statement else False,
        "outcome": outcome,
        "reason": str(reason),  # plain text: it may cross from the student process
        "text": "",
        "expected": None,
        "got": None,
        "error_type": "",
        "detail": "",
        "cell": None,
        "line": None,
    }
    return result | fields
