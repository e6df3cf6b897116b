"""Runs the statements of a test cell in the notebook's namespace, and returns the result of each.

The student's code shares this process. `tamper_guard` describes the protection against it, and its limits.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import inspect
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from pmh_jupyter.grading.runtime.execution.bindings import find_names_bound_in_any_scope, find_read_names
from pmh_jupyter.grading.runtime.execution.plain_python import to_plain_python
from pmh_jupyter.grading.runtime.execution.shell import describe_cell_error
from pmh_jupyter.grading.runtime.execution.text_clipping import clip
from pmh_jupyter.grading.runtime.in_process.tamper_guard import FlagCollector, TamperGuard
from pmh_jupyter.grading.runtime.test_cells.assertion_recorder import AssertionRecorder
from pmh_jupyter.grading.runtime.test_cells.assertion_rewriter import PINNED_BUILTINS, compile_with_recorder
from pmh_jupyter.grading.runtime.test_cells.class_provenance import (
    ClassProvenance,
    find_library_folders,
    find_nested_codes,
)
from pmh_jupyter.grading.runtime.test_cells.code_filenames import TEST_CELL_FILENAME, is_helper_filename
from pmh_jupyter.grading.runtime.test_cells.comparison import Comparator
from pmh_jupyter.grading.runtime.test_cells.partial_credit import pop_credit
from pmh_jupyter.grading.runtime.test_cells.statements import StatementSpec, read_statements
from pmh_jupyter.grading.runtime.test_cells.test_helpers import TestHelpers
from pmh_jupyter.grading.runtime.transport.result_fields import FlagFields, TestFields

MAX_TEST_RESULTS = 500


@dataclass
class CellContext:
    """The release's settings for a test cell, and observations while the cell runs.

    tamper_guard: restores the process; None to restore nothing.

    Known from running the reference solution (None: not known, and nothing is refused because of it):
    allowed_operators: operators that it used on objects of its own classes in this cell.
    shadowed_builtins: builtins that it rebinds.
    exported_names: names that the test cell binds and later cells read. Other names are removed after the cell.
    library_names: names that refer to an object of a library, as (module, attribute).
    helper_names: functions of locked cells that the test cell uses. `helpers` has the judge's own copies.

    Filled while the cell runs:
    flags: {code, detail}.
    used_operators: operators that were used on objects of the notebook's own classes.
    """

    tamper_guard: TamperGuard | None = None
    allowed_operators: Collection[str] | None = None
    shadowed_builtins: Collection[str] | None = None
    exported_names: Collection[str] | None = None
    library_names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    helper_names: Collection[str] = ()
    helpers: TestHelpers = field(default_factory=TestHelpers)
    flags: list[FlagFields] = field(default_factory=list)
    used_operators: set[str] = field(default_factory=set)

    @classmethod
    def from_isolation(
        cls,
        tamper_guard: TamperGuard | None,
        isolation: Mapping[str, Any] | None,
        grade_id: str | None,
        helpers: TestHelpers | None = None,
    ) -> CellContext:
        """Return the context of one test cell, from the `isolation` of a bundle.

        A cell that the release did not run has no restrictions.
        """
        helpers = TestHelpers() if helpers is None else helpers
        if isolation is None or grade_id not in isolation["operators"]:
            return cls(tamper_guard, helpers=helpers)
        return cls(
            tamper_guard,
            allowed_operators=isolation["operators"][grade_id],
            shadowed_builtins=isolation["shadowed_builtins"],
            exported_names=isolation["exported_names"],
            library_names=isolation["library_names"],
            helper_names=isolation["test_helpers"],
            helpers=helpers,
        )


def execute_test_cell(
    shell: Any, source: str, leading_blank_lines: dict[int, int], context: CellContext | None = None
) -> list[TestFields]:
    """Run a test cell. After a statement that raises without being an assertion, and after a timeout, the rest is not checked.

    shell: any object with a `user_ns`, the notebook's namespace. leading_blank_lines: see `describe_cell_error`.

    Each result has name, expression, is_hidden, outcome (passed, failed, crashed, timed-out, not-checked, grader-error), reason
    (see `judge_output.JudgeTestResult`), text (the author's message, or what the reason is about), expected,
    got, and the fields of `describe_cell_error`. The last result may be partial credit (see `partial_credit`).
    """
    context = context or CellContext()
    flag_collector = FlagCollector(context.flags)
    python_source = to_plain_python(source)
    if context.tamper_guard is None:
        return (
            [make_test_result(None, "grader-error", "invalid-test")]
            if python_source is None
            else _execute_statements(shell, python_source, leading_blank_lines, context, flag_collector)
        )
    flag_collector.extend(context.tamper_guard.restore(shell, source))
    with context.tamper_guard.during_test(flag_collector):
        tests = (
            [make_test_result(None, "grader-error", "invalid-test")]
            if python_source is None
            else _execute_statements(shell, python_source, leading_blank_lines, context, flag_collector)
        )
    flag_collector.extend(context.tamper_guard.restore(shell, source))
    return tests


def _execute_statements(
    shell: Any, source: str, leading_blank_lines: dict[int, int], context: CellContext, flag_collector: FlagCollector
) -> list[TestFields]:
    namespace: dict[str, Any] = shell.user_ns
    provenance = (
        context.tamper_guard.provenance
        if context.tamper_guard
        else ClassProvenance(trusted_folders=find_library_folders())
    )
    comparator = Comparator(provenance, flag_collector.add, context.allowed_operators)
    bound_names = find_names_bound_in_any_scope(source)
    pinned = _pin_names(context, bound_names, namespace, flag_collector)
    for name in find_read_names(source) & set(context.helper_names) & pinned.keys():
        if context.helpers.is_changed(name, namespace):
            flag_collector.add("helper-changed", name)
    recorder = AssertionRecorder(comparator, pinned, context.helpers.recorder_delegate.sites)
    context.helpers.begin_test_cell(recorder, _make_helper_lookup(pinned, namespace))
    statements = read_statements(ast.parse(source), source, recorder)
    previous_values = {name: namespace[name] for name in bound_names & namespace.keys()}
    try:
        provenance.test_code_ids.clear()
        return StatementRunner(shell, recorder, leading_blank_lines, context, flag_collector).run_all(statements)
    finally:
        context.used_operators.update(comparator.used_operators)
        if context.exported_names is not None:
            for name in bound_names.difference(context.exported_names):
                namespace.pop(name, None)
                if name in previous_values:
                    namespace[name] = previous_values[name]


def _pin_names(
    context: CellContext, bound_names: set[str], namespace: dict[str, Any], flag_collector: FlagCollector
) -> dict[str, Any]:
    """Builtins, names of libraries, and helpers, with the values that they have for the reference solution."""
    if context.shadowed_builtins is None:
        return {}
    pinned: dict[str, Any] = {}
    for name in PINNED_BUILTINS.difference(context.shadowed_builtins, bound_names, context.library_names):
        pinned[name] = getattr(builtins, name)
        if name in namespace:
            flag_collector.add("builtin-shadowed", name)
    for name, (module, attribute) in context.library_names.items():
        if name in namespace and name not in bound_names and module in sys.modules:
            owner = sys.modules[module]
            pinned[name] = getattr(owner, attribute, namespace[name]) if attribute else owner
            if namespace[name] is not pinned[name]:
                flag_collector.add("library-shadowed", name)
    return pinned | {
        name: context.helpers[name] for name in context.helpers.keys() & set(context.helper_names) - bound_names
    }


def _make_helper_lookup(pinned: Mapping[str, Any], namespace: Mapping[str, Any]) -> Callable[[str], Any]:
    """Return the lookup of names that a helper's own cell does not define: the same as for names of the test cell."""
    return lambda name: pinned[name] if name in pinned else namespace[name]


class StatementRunner:
    """Runs the statements of one test cell."""

    def __init__(
        self,
        shell: Any,
        recorder: AssertionRecorder,
        leading_blank_lines: dict[int, int],
        context: CellContext,
        flag_collector: FlagCollector,
    ) -> None:
        self.shell, self.recorder = shell, recorder
        self.leading_blank_lines, self.context, self.flag_collector = leading_blank_lines, context, flag_collector
        self.is_stopped = False

    def run_all(self, statements: list[Any]) -> list[TestFields]:
        """Run the statements, each a `Statement` or what a subclass runs in its place, and empty the list.

        As in nbgrader, a test cell without an assertion passes if it runs to its end.
        """
        tests: list[TestFields] = []
        while statements:
            statement = statements.pop(0)
            if self.is_stopped:
                if statement.has_assertion:
                    tests.append(make_test_result(statement, "not-checked", ""))
                continue
            test = self._run_statement(statement)
            self.is_stopped = test["outcome"] == "timed-out" or (
                test["outcome"] != "passed" and not statement.has_assertion
            )
            if statement.has_assertion or test["outcome"] != "passed":
                tests.append(test)
            elif statement.is_credit_expression and (credit := pop_credit(self.shell.user_ns)):
                return [
                    *(_limit_results(tests) or [make_test_result(None, "passed", "")]),
                    make_test_result(statement, "passed", "") | credit,
                ]
        return _limit_results(tests) or [make_test_result(None, "passed", "")]

    def _run_statement(self, statement: StatementSpec) -> TestFields:
        self.recorder.reset()
        self.recorder.evidence.begin_statement(statement.position)
        self.recorder.comparator.statement_line = statement.line
        if self.context.tamper_guard:
            self.flag_collector.extend(self.context.tamper_guard.restore_builtins())
        # Looked up before code of the student runs, which could replace them in the class.
        make_passed_result, make_failed_result = self._build_passed_result, self._build_failed_result
        error = self._execute_statement(statement)
        if error is None:
            return make_passed_result(statement)
        try:
            return make_failed_result(statement, error)
        finally:
            _detach_tracebacks(error)

    def _execute_statement(self, statement: Any) -> BaseException | None:
        code = compile_with_recorder(statement.node, self.recorder, TEST_CELL_FILENAME)
        self.recorder.comparator.provenance.test_code_ids.update(id(inner) for inner in find_nested_codes(code))
        try:
            self._execute_code(code)
        except BaseException as error:  # noqa: BLE001 - any exception of the student's code fails the test, even SystemExit
            return error
        return None

    def _execute_code(self, code: CodeType) -> None:
        namespace = self.shell.user_ns
        if code.co_flags & inspect.CO_COROUTINE:
            run_coroutine: Callable[[Any], Any] = getattr(self.shell, "loop_runner", asyncio.run)
            run_coroutine(eval(code, namespace))
        else:
            exec(code, namespace)

    def _build_passed_result(self, statement: StatementSpec) -> TestFields:
        """Return the result of a statement that raised nothing. It has passed only if an assertion was reached."""
        if statement.has_assertion and self.recorder.assertion_count == 0:
            self.flag_collector.add(
                "assertion-skipped" if statement.always_asserts else "no-assertion-ran", statement.name
            )
            if statement.always_asserts:
                return make_test_result(statement, "failed", "not-met")
        shortfall = self.recorder.evidence.find_shortfall()
        if shortfall:
            return make_test_result(
                statement, "failed", shortfall.reason, got=shortfall.got, expected=shortfall.expected
            )
        return make_test_result(statement, "passed", "")

    def _build_failed_result(self, statement: StatementSpec, error: BaseException) -> TestFields:
        if isinstance(error, KeyboardInterrupt):
            return make_test_result(
                statement,
                "timed-out",
                "timed-out",
                **describe_cell_error(error, self.leading_blank_lines, include_detail=False),
            )
        if isinstance(error, MemoryError):
            return make_test_result(
                statement,
                "crashed",
                "memory",
                **describe_cell_error(error, self.leading_blank_lines, include_detail=False),
            )
        is_unmet_assertion = isinstance(error, AssertionError) or (
            self.recorder.got == "no error" and type(error).__name__ == "Failed"
        )
        if not is_unmet_assertion:
            return make_test_result(
                statement,
                "failed",
                "exception",
                **describe_cell_error(error, self.leading_blank_lines, include_detail=not statement.is_hidden),
            )
        return self._build_unmet_result(statement, error)

    def _build_unmet_result(self, statement: StatementSpec, error: BaseException) -> TestFields:
        """Return the result of a failed assertion: the author's message if there is one, else the values."""
        cell_error = describe_cell_error(error, self.leading_blank_lines, include_detail=False)
        if cell_error["cell"] is not None:  # raised by an assertion in the student's own code
            return make_test_result(statement, "failed", "exception", **cell_error)
        recorder = self.recorder
        feedback = recorder.failed_site.feedback if recorder.failed_site else ""
        # The message of a library's assertion may contain the expected value.
        # A helper's message is the author's, but may contain values that a hidden test has passed to the helper.
        filename = _find_raising_filename(error)
        is_author_message = filename == TEST_CELL_FILENAME or (is_helper_filename(filename) and not statement.is_hidden)
        text = (_format_error_message(error) if is_author_message else "") or feedback
        if not text and not is_author_message and not statement.is_hidden and recorder.got is None:
            text = _format_error_message(error)
        if recorder.got is None or statement.is_hidden:
            return make_test_result(statement, "failed", "author-message" if text else "not-met", text=text)
        values = {"expression": recorder.expression, "expected": recorder.expected, "got": recorder.got}
        return make_test_result(statement, "failed", "author-message" if text else "values-differ", text=text, **values)


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


def _format_error_message(error: BaseException) -> str:
    try:
        return clip(str(error.args[0]), 1_000) if error.args else ""
    except Exception:  # noqa: BLE001 - the message may be a student's object
        return ""


def make_test_result(statement: StatementSpec | None, outcome: str, reason: str, **fields: Any) -> TestFields:
    result: TestFields = {
        "name": statement.name if statement else "",
        "expression": statement.expression if statement else "",
        "is_hidden": statement.is_hidden if statement else False,
        "outcome": outcome,
        "reason": reason,
        "text": "",
        "expected": None,
        "got": None,
        "error_type": "",
        "detail": "",
        "cell": None,
        "line": None,
    }
    return result | fields
