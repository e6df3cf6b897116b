"""Runs one test cell in the judge, as in-process, except that it looks up names in the student process that it does not bind."""

from __future__ import annotations

import asyncio
import copy
import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pmh_jupyter.grading.runtime.execution.shell import get_error_type_name
from pmh_jupyter.grading.runtime.execution.text_clipping import clip
from pmh_jupyter.grading.runtime.marshalling.codec import refill
from pmh_jupyter.grading.runtime.marshalling.exceptions import get_location
from pmh_jupyter.grading.runtime.separate_process.cells.compiled_cell import CompiledCell, CompiledStatement
from pmh_jupyter.grading.runtime.separate_process.cells.reachable_values import reads_any_value
from pmh_jupyter.grading.runtime.separate_process.cells.templates import is_safe_percent_template
from pmh_jupyter.grading.runtime.separate_process.cells.test_namespace import Namespace
from pmh_jupyter.grading.runtime.separate_process.contract.observations import ContractViolation
from pmh_jupyter.grading.runtime.separate_process.peers.judge_peer import JudgePeer
from pmh_jupyter.grading.runtime.separate_process.peers.peer import TimeLimitReached
from pmh_jupyter.grading.runtime.test_cells.assertion_recorder import AssertionRecorder
from pmh_jupyter.grading.runtime.test_cells.comparator import Comparator
from pmh_jupyter.grading.runtime.test_cells.comparison_counts import ComparisonCounts
from pmh_jupyter.grading.runtime.test_cells.recorder_code import insert_recorder
from pmh_jupyter.grading.runtime.test_cells.statement_runner import StatementRunner, make_test_result
from pmh_jupyter.grading.runtime.test_cells.statements import StatementSpec
from pmh_jupyter.grading.runtime.test_cells.test_helpers import TestHelpers
from pmh_jupyter.grading.runtime.transport.framing import PeerLost
from pmh_jupyter.grading.runtime.transport.result_fields import TestCellFields, TestFields, TestReason


class TestCell(StatementRunner):
    """Runs the statements of one cell. Raises `PeerLost` if the student process is lost."""

    __test__ = False  # not a pytest class
    user_ns: Namespace

    def __init__(
        self, peer: JudgePeer, test_namespace: Namespace, helpers: TestHelpers, compiled_cell: CompiledCell | None
    ) -> None:
        self.peer, self.compiled_cell = peer, compiled_cell
        sites = {**compiled_cell.sites, **helpers.recorder_delegate.sites} if compiled_cell else None
        self.comparison_counts = ComparisonCounts(peer.contract.entries)
        recorder = AssertionRecorder(
            _ProxyComparator(),
            sites=sites,
            comparison_counts=self.comparison_counts,
            find_original=peer.replicas.find_original,
        )
        helpers.begin_test_cell(recorder, test_namespace.__getitem__)
        super().__init__(test_namespace, asyncio.run, recorder, {}, peer.contract.observations.flag_collector)

    def run(self) -> TestCellFields:
        """Run the cell. Returns all fields but flags.

        After an exception other than a failed assertion, and after the time limit, nothing else is checked.
        """
        if self.compiled_cell is None:
            return {"tests": [make_test_result(None, "grader-error", TestReason.INVALID_TEST)]}
        try:
            fields = self.run_all(list(self.compiled_cell.statements))
        except TimeLimitReached:  # raised between two statements
            return {"tests": [make_test_result(None, "timed-out", TestReason.TIMED_OUT)]}
        has_shortfall = self.peer.contract.observations.has_shortfall
        if not has_shortfall or any(test["outcome"] != "passed" for test in fields["tests"]):
            return fields
        # Reported last, because a failed statement is more informative.
        last_statement = self.compiled_cell.statements[-1]
        reason = TestReason.NOT_MET if last_statement.is_hidden else TestReason.EMPTY_VALUE
        return {"tests": [make_test_result(last_statement, "failed", reason)]}

    def _run_statement(self, statement: StatementSpec) -> TestFields:
        self.peer.contract.observations.begin_statement(statement.line)
        reads_changes = self._reads_changed_values(statement)
        refused_changes = self.peer.replicas.refused_changes
        refused_count = len(refused_changes)
        test_result = super()._run_statement(statement)
        depends_on_changes = reads_changes or len(refused_changes) > refused_count
        if test_result["outcome"] == "passed" and depends_on_changes and self._asserts(statement):
            test_result = self._repeat_with_changes(statement, test_result)
        if self.peer.failure is not None and test_result["outcome"] != "timed-out":
            raise PeerLost(self.peer.failure.cause, self.peer.failure.detail)
        return test_result

    def _asserts(self, statement: StatementSpec) -> bool:
        """Return whether a statement is a test itself, or has reached an assertion elsewhere, for example in a module of the lesson."""
        return statement.has_assertion or self.recorder.assertion_count > 0

    def _reads_changed_values(self, statement: StatementSpec) -> bool:
        """Return whether a statement can read a value of the test that the notebook has changed without permission."""
        self.peer.replicas.discard_outdated_changes()
        changed_values = [change.value for change in self.peer.replicas.refused_changes]
        if not changed_values or not isinstance(statement, CompiledStatement):
            return bool(changed_values)
        return reads_any_value(statement.code, (self.user_ns, self.user_ns.name_resolver.helpers), changed_values)

    def _repeat_with_changes(self, statement: StatementSpec, test_result: TestFields) -> TestFields:
        """Run a statement that passed once more, with the changes that the notebook made to values of the test.

        Only a statement that can depend on them is repeated, because a call of the notebook may return another value the second time.

        The reference does not change these values, so a test may rely on them (`assert f(data) == sorted(data)`). A test may also assert
        that they are unchanged. So it has to pass with the original values and with the changed ones.
        """
        replicas = self.peer.replicas
        changes = [(change.value, copy.copy(change.value), change.received) for change in replicas.refused_changes]
        values = [value for value, _, _ in changes]
        replicas.discard_outdated_changes()
        for value, _, received in changes:
            refill(value, received)
        replicas.accept_differences(values)
        self.peer.contract.observations.begin_statement(statement.line)
        self.peer.contract.permits_all_changes = True
        try:
            repeated_result = super()._run_statement(statement)
        finally:
            self.peer.contract.permits_all_changes = False
            for value, original, _ in reversed(changes):
                refill(value, original)
            replicas.accept_differences(values)
        return test_result if repeated_result["outcome"] == "passed" else repeated_result

    def _execute_statement(self, statement: CompiledStatement) -> BaseException | None:
        error: BaseException | None = None
        try:
            with self._bind_temporarily(statement.names):
                self._execute_code(insert_recorder(statement.code, self.recorder))
        except BaseException as student_error:  # noqa: BLE001 - any exception of the student's code fails the test, SystemExit too
            error = student_error
            if isinstance(student_error, TimeLimitReached):
                signal.setitimer(signal.ITIMER_REAL, 0)
        # A policy violation counts even if the test has caught it. The time limit takes precedence.
        observations = self.peer.contract.observations
        return (
            error
            if isinstance(error, TimeLimitReached)
            else observations.violation or error or observations.seen_failure
        )

    def _build_failed_result(self, statement: StatementSpec, error: BaseException) -> TestFields:
        if isinstance(error, TimeLimitReached):
            return make_test_result(statement, "timed-out", TestReason.TIMED_OUT)
        if isinstance(error, ContractViolation) and error.reason:
            if statement.is_hidden:  # the student may have named a class after the value that it received
                return make_test_result(statement, "failed", TestReason.NOT_MET, error_type=type(error).__name__)
            fields = {"text": error.class_name, "error_type": type(error).__name__}
            return make_test_result(statement, "failed", error.reason, **fields)
        location = get_location(error)
        if location is None:
            return super()._build_failed_result(statement, error)
        cell, line = location
        error_fields = {"error_type": get_error_type_name(error), "detail": "", "cell": cell, "line": line}
        if isinstance(error, MemoryError):
            return make_test_result(statement, "crashed", TestReason.MEMORY, **error_fields)
        if not statement.is_hidden and not isinstance(error, AssertionError):
            with suppress(Exception):
                error_fields["detail"] = clip(str(error))
        return make_test_result(statement, "failed", TestReason.EXCEPTION, **error_fields)

    @contextmanager
    def _bind_temporarily(self, names: Collection[str]) -> Iterator[None]:
        """Bind these names in the namespace itself while a statement runs, unless the test cells have bound them."""
        bound_values = {}
        for name in names:
            if not self.user_ns.has_own(name):
                with suppress(KeyError):
                    bound_values[name] = self.user_ns[name]
        dict.update(self.user_ns, bound_values)
        try:
            yield
        finally:
            for name, value in bound_values.items():
                if self.user_ns.get_own(name) is value:
                    self.user_ns.pop_own(name)


class _ProxyComparator(Comparator):
    """Compares as Python does. Objects of the student are proxies here, to which the contract applies."""

    def prepare_arithmetic(self, name: str, left: Any, right: Any) -> tuple[Any, Any] | None:
        is_allowed = name != "mod" or type(left) is not str or is_safe_percent_template(left)
        return (left, right) if is_allowed else None
