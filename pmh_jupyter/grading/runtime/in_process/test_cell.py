"""Runs one test cell in the student process.

The student's code shares this process. `tamper_guard` describes the protection against it, and its limits.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pmh_jupyter.grading.runtime.in_process.tamper_guard import TamperGuard
from pmh_jupyter.grading.runtime.in_process.test_namespace import TestNamespace
from pmh_jupyter.grading.runtime.proxies.event_loop import NOTEBOOK_EVENT_LOOP
from pmh_jupyter.grading.runtime.test_cells.assertion_recorder import AssertionRecorder
from pmh_jupyter.grading.runtime.test_cells.class_provenance import (
    ClassProvenance,
    find_library_folders,
    find_nested_codes,
)
from pmh_jupyter.grading.runtime.test_cells.code_filenames import TEST_CELL_FILENAME
from pmh_jupyter.grading.runtime.test_cells.comparison import HardenedComparator
from pmh_jupyter.grading.runtime.test_cells.comparison_counts import ComparisonCounts
from pmh_jupyter.grading.runtime.test_cells.flag_collector import FlagCollector
from pmh_jupyter.grading.runtime.test_cells.recorder_code import PINNED_BUILTINS, compile_with_recorder
from pmh_jupyter.grading.runtime.test_cells.statement_runner import StatementRunner, make_test_result
from pmh_jupyter.grading.runtime.test_cells.statements import StatementSpec, read_statements
from pmh_jupyter.grading.runtime.test_cells.test_helpers import TestHelpers
from pmh_jupyter.grading.runtime.transport.bundle import IsolationFields
from pmh_jupyter.grading.runtime.transport.result_fields import TestCellFields, TestFields, TestReason
from pmh_jupyter.python_source.names import collect_class_body_names, find_names_bound_in_any_scope, find_read_names
from pmh_jupyter.python_source.plain_python import to_plain_python

# Bound here, where the tamper guard restores it. The notebook may replace `loop_runner` of its shell.
_run_coroutine = NOTEBOOK_EVENT_LOOP.run


@dataclass(frozen=True)
class CellContext:
    """The release's settings for a test cell.

    tamper_guard: restores the process; None to restore nothing.
    test_namespace: the names of the test cells; None to bind them in the notebook.

    Recorded from the reference solution (None: not recorded, so nothing is refused because of it):
    allowed_operators: operators that it used on objects of its own classes in this cell.
    contract: how many values it compared in this cell (see `comparison_counts`).
    shadowed_builtins: builtins that it rebinds.
    exported_names: names that the test cell binds and later cells read. Without a `test_namespace`, others are removed after the cell.
    library_names: names that refer to an object of a library, as (module, attribute).
    helper_names: functions of locked cells that the test cell uses. `helpers` has the judge's own copies.
    """

    tamper_guard: TamperGuard | None = None
    test_namespace: TestNamespace | None = None
    allowed_operators: Collection[str] | None = None
    contract: Collection[str] | None = None
    shadowed_builtins: Collection[str] | None = None
    exported_names: Collection[str] | None = None
    library_names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    helper_names: Collection[str] = ()
    helpers: TestHelpers = field(default_factory=TestHelpers)

    @classmethod
    def from_isolation(
        cls,
        tamper_guard: TamperGuard | None,
        isolation: IsolationFields | None,
        grade_id: str,
        helpers: TestHelpers,
        test_namespace: TestNamespace | None,
    ) -> CellContext:
        """Return the context of one test cell, from the `isolation` of a bundle.

        A cell that the release did not run has no restrictions, and binds its names in the notebook.
        """
        if isolation is None or grade_id not in isolation["operators"]:
            return cls(tamper_guard, helpers=helpers)
        return cls(
            tamper_guard,
            None if isolation.get("shares_test_names") else test_namespace,
            allowed_operators=isolation["operators"][grade_id],
            contract=isolation["contract"].get(grade_id, ()),
            shadowed_builtins=isolation["shadowed_builtins"],
            exported_names=isolation["exported_names"],
            library_names=isolation["library_names"],
            helper_names=isolation["test_helpers"],
            helpers=helpers,
        )


class TestCellRun(NamedTuple):
    """The result of a test cell, and its usage, as in `NotebookUsage`.

    operators: those that were used on objects of the notebook's own classes. contract: how many values were compared.
    """

    fields: TestCellFields
    operators: Collection[str] = ()
    contract: Collection[str] = ()


def execute_test_cell(
    shell: Any, source: str, leading_blank_lines: dict[int, int], context: CellContext | None = None
) -> TestCellRun:
    """Run a test cell between two restorations of the process. leading_blank_lines: see `describe_cell_error`."""
    context, flag_collector = context or CellContext(), FlagCollector()
    tamper_guard = context.tamper_guard
    namespace = shell.user_ns if context.test_namespace is None else context.test_namespace
    if tamper_guard is not None:
        flag_collector.extend(tamper_guard.restore(namespace, source))
    with nullcontext() if tamper_guard is None else tamper_guard.during_test(flag_collector):
        # Not before the process is restored: the student's code may have replaced the class.
        run = _TestCell(shell.user_ns, namespace, leading_blank_lines, context, flag_collector).execute(source)
    if tamper_guard is not None:
        flag_collector.extend(tamper_guard.restore(namespace, source))
    return run._replace(fields=run.fields | {"flags": flag_collector.flags})


@dataclass(frozen=True)
class _TestCell:
    """A test cell that is being run. notebook: the names of the notebook. namespace: the globals of the cell."""

    notebook: dict[str, Any]
    namespace: dict[str, Any]
    leading_blank_lines: dict[int, int]
    context: CellContext
    flag_collector: FlagCollector

    def execute(self, ipython_source: str) -> TestCellRun:
        source = to_plain_python(ipython_source)
        if source is None:
            return TestCellRun({"tests": [make_test_result(None, "grader-error", TestReason.INVALID_TEST)]})
        context, notebook, namespace = self.context, self.notebook, self.namespace
        provenance = (
            context.tamper_guard.provenance
            if context.tamper_guard
            else ClassProvenance(trusted_folders=find_library_folders())
        )
        comparator = HardenedComparator(provenance, self.flag_collector.add, context.allowed_operators, namespace)
        bound_names = find_names_bound_in_any_scope(source)
        pinned = self._pin_names(bound_names)
        self._flag_changed_names(find_read_names(source), pinned)
        comparison_counts = ComparisonCounts(context.contract)
        recorder = AssertionRecorder(comparator, pinned, context.helpers.recorder_delegate.sites, comparison_counts)
        # Names that the cell of a helper does not define are looked up like those of the test cell.
        context.helpers.begin_test_cell(recorder, lambda name: pinned[name] if name in pinned else namespace[name])
        statements = read_statements(ast.parse(source), source, recorder)
        previous_values = {name: notebook[name] for name in bound_names & notebook.keys()}
        provenance.test_code_ids.clear()
        try:
            fields = _TestCellRunner(
                namespace,
                _run_coroutine,
                recorder,
                self.leading_blank_lines,
                self.flag_collector,
                provenance,
                context.tamper_guard,
            ).run_all(statements)
        finally:
            self._unbind_names(bound_names, previous_values)
        comparison_counts.end_statement()
        return TestCellRun(fields, comparator.used_operators, set(comparison_counts.recorded_entries))

    def _pin_names(self, bound_names: set[str]) -> dict[str, Any]:
        """Return builtins, names of libraries, and helpers, with the values that they have for the reference solution."""
        context, namespace = self.context, self.namespace
        if context.shadowed_builtins is None:
            return {}
        pinned: dict[str, Any] = {}
        for name in PINNED_BUILTINS.difference(context.shadowed_builtins, bound_names, context.library_names):
            pinned[name] = getattr(builtins, name)
        for name, (module, attribute) in context.library_names.items():
            if name in namespace and name not in bound_names and module in sys.modules:
                owner = sys.modules[module]
                pinned[name] = getattr(owner, attribute, namespace[name]) if attribute else owner
                if namespace[name] is not pinned[name]:
                    self.flag_collector.add("library-shadowed", name)
        return pinned | {
            name: context.helpers[name] for name in context.helpers.keys() & set(context.helper_names) - bound_names
        }

    def _flag_changed_names(self, read_names: set[str], pinned: dict[str, Any]) -> None:
        """Flag helpers that the notebook has changed, and builtins that it has bound, of those that the cell or its helpers read."""
        context = self.context
        used_helpers = read_names & set(context.helper_names) & pinned.keys()
        for name in used_helpers:
            if context.helpers.is_changed(name, self.notebook):
                self.flag_collector.add("helper-changed", name)
        names_of_helpers = context.helpers.collect_external_names() if used_helpers else set()
        for name in sorted(pinned.keys() & (read_names | names_of_helpers) & PINNED_BUILTINS & self.notebook.keys()):
            if name not in context.library_names and name not in used_helpers:
                self.flag_collector.add("builtin-shadowed", name)

    def _unbind_names(self, bound_names: set[str], previous_values: dict[str, Any]) -> None:
        """Remove the names that the cell has bound in the notebook, except those that are exported."""
        if self.context.test_namespace is not None:
            self.context.test_namespace.end_cell()
        elif self.context.exported_names is not None:
            for name in bound_names.difference(self.context.exported_names):
                self.namespace.pop(name, None)
                if name in previous_values:
                    self.namespace[name] = previous_values[name]


@dataclass
class _TestCellRunner(StatementRunner):
    """Restores what a test depends on most before each statement, and executes it."""

    provenance: ClassProvenance
    tamper_guard: TamperGuard | None

    def _run_statement(self, statement: StatementSpec) -> TestFields:
        if self.tamper_guard:
            self.flag_collector.extend(self.tamper_guard.restore_between_statements())
        return super()._run_statement(statement)

    def _execute_statement(self, statement: Any) -> BaseException | None:
        code = compile_with_recorder(statement.node, self.recorder, TEST_CELL_FILENAME)
        self.provenance.test_code_ids.update(id(inner) for inner in find_nested_codes(code))
        try:
            with (
                self.user_ns.bind_temporarily(collect_class_body_names(statement.node))
                if isinstance(self.user_ns, TestNamespace)
                else nullcontext()
            ):
                self._execute_code(code)
        except BaseException as error:  # noqa: BLE001 - any exception of the student's code fails the test, even SystemExit
            return error
        return None
