"""Rewrites a statement of a test cell so that its assertions are counted, record their values and do not trust a student's `==`.

The rewritten source calls methods of an `AssertionRecorder` (see `recorder_code`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from pmh_jupyter.grading.runtime.execution.source_segments import get_short_segment
from pmh_jupyter.grading.runtime.test_cells.assertion_nodes import (
    MESSAGE_INDEXES,
    RAISES_FUNCTIONS,
    is_assert_call,
    is_raises_block,
    is_test_function,
    raises_assertion_error,
)
from pmh_jupyter.grading.runtime.test_cells.contract_entries import format_counted_place
from pmh_jupyter.grading.runtime.test_cells.iterations import is_zip_call, may_be_shorter
from pmh_jupyter.grading.runtime.test_cells.recorder_code import RECORDER_PLACEHOLDER
from pmh_jupyter.python_source.names import get_called_name

EXPLAINED_CALLS = frozenset({"isinstance", "issubclass", "isclose", "allclose", "array_equal"})
# They cannot be moved into a function.
_UNDEFERRABLE_NODES = (ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom)
_NO_PARAMETERS = ast.arguments([], [], None, [], [], None, [])


class SiteRegistry(Protocol):
    """Numbers the expressions of a source that can fail an assertion."""

    def register_site(self, expression: str | None, feedback: str, *, is_swapped: bool = False) -> int:
        """Register an expression (see `assertion_sites.AssertionSite`). Returns its number."""


class AssertionRewriter(ast.NodeTransformer):
    """Rewrites one statement in place.

    source: the text of the test cell, from which expressions are quoted; None for a hidden statement.
    feedback_by_line: by the line of an assertion, the author's message in the comment above it.
    """

    def __init__(self, recorder: SiteRegistry, source: str | None, feedback_by_line: dict[int, str]) -> None:
        self.recorder, self.source = recorder, source
        # Whether the code that is being rewritten may run less often for a right answer than for the reference.
        self._is_optional = False
        # Whether it is in an iteration that a right answer may end earlier.
        self._is_open = False
        self._is_negated = False
        self._function_depth = 0
        self._is_class_body = False
        self.feedback_by_line = feedback_by_line

    def visit(self, node: ast.AST) -> Any:
        """Rewrite a node. Its replacement has the same position, by which `separate_process.contract.places` finds places."""
        rewritten = super().visit(node)
        return ast.copy_location(rewritten, node) if isinstance(rewritten, ast.expr) else rewritten

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        number = self._register_site(node.test, feedback=self.feedback_by_line.get(node.lineno, ""))
        place = self._make_place(node)
        node.test = self._make_recorder_call("check_assertion", number, place, self._rewrite_condition(node.test))
        if node.msg is not None:
            node.msg = self.visit(node.msg)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if not isinstance(call, ast.Call) or not is_assert_call(call):
            return self.generic_visit(node)
        feedback = self._find_author_message(call) or self.feedback_by_line.get(node.lineno, "")
        # The author's side, as in `assertEqual(3, f())`.
        is_first_literal = len(call.args) > 1 and _is_literal(call.args[0])
        student_expression = call.args[1 if is_first_literal else 0] if call.args else call
        number = self._register_site(student_expression, feedback=feedback, is_swapped=is_first_literal)
        place = self._make_place(call)
        self.generic_visit(call)
        call.func = self._make_recorder_call("wrap_assert_function", number, place, call.func)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if not is_test_function(node):
            return self._visit_function(node)
        with self._change_state(_is_class_body=False):
            return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        with self._change_state(_is_class_body=True):
            return self.generic_visit(node)

    def _visit_function(self, node: ast.AST) -> ast.AST:
        with self._change_state(_function_depth=self._function_depth + 1, _is_class_body=False):
            return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_Lambda = _visit_function

    def _visit_loop(self, node: ast.For | ast.AsyncFor) -> ast.AST:
        handlers = [inner for inner in ast.walk(node) if isinstance(inner, ast.ExceptHandler)]
        # A handler skips code after an exception that the reference did not raise.
        handled = {id(inner) for handler in handlers for inner in ast.walk(handler)}
        ends_early = any(id(inner) not in handled for inner in _list_jumps(node))
        return self._visit_optional(node) if ends_early else self._visit_iteration(node)

    visit_For = visit_AsyncFor = _visit_loop

    def _visit_iteration(self, node: ast.AST) -> ast.AST:
        with self._change_state(_is_open=self._is_open or may_be_shorter(node)):
            return self.generic_visit(node)

    visit_GeneratorExp = visit_ListComp = visit_SetComp = _visit_iteration

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if not isinstance(node.op, ast.Not):
            return self.generic_visit(node)
        with self._change_state(_is_negated=not self._is_negated):
            return self.generic_visit(node)

    def _visit_optional(self, node: ast.AST) -> ast.AST:
        with self._change_state(_is_optional=True):
            return self.generic_visit(node)

    visit_While = visit_IfExp = visit_Match = visit_ExceptHandler = visit_BoolOp = _visit_optional

    @contextmanager
    def _change_state(self, **states: int) -> Iterator[None]:
        """Rewrite the code in a `with` block with other values of these attributes."""
        previous = {name: getattr(self, name) for name in states}
        vars(self).update(states)
        try:
            yield
        finally:
            vars(self).update(previous)

    def _rewrite_try(self, node: ast.Try | ast.TryStar) -> ast.AST:
        self.generic_visit(node)
        for handler in node.handlers:
            handler.body.insert(
                0, ast.copy_location(ast.Expr(self._make_recorder_call("count_assertion")), handler.body[0])
            )
        return node

    visit_Try = visit_TryStar = _rewrite_try

    def visit_If(self, node: ast.If) -> ast.AST:
        raises_explicitly = any(raises_assertion_error(inner) for inner in (*node.body, *node.orelse))
        self._visit_optional(node)
        if raises_explicitly:
            node.test = self._make_recorder_call("count_and_return", node.test)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) != 1:
            return self._rewrite_chain(node)
        if isinstance(node.ops[0], ast.Is | ast.IsNot) and isinstance(node.comparators[0], ast.Constant):
            return node
        return self._make_recorder_call(
            "evaluate_comparison",
            self._make_place(node),
            ast.Constant(type(node.ops[0]).__name__),
            node.left,
            node.comparators[0],
        )

    def _rewrite_chain(self, node: ast.Compare) -> ast.AST:
        """Rewrite a chain of comparisons. Like Python, it evaluates an operand only if the comparisons before it are true."""
        later_operands = node.comparators[1:]
        if self._is_class_body or any(
            isinstance(inner, _UNDEFERRABLE_NODES) for operand in later_operands for inner in ast.walk(operand)
        ):
            return node
        return self._make_recorder_call(
            "evaluate_chain",
            self._make_place(node),
            ast.Tuple([ast.Constant(type(operation).__name__) for operation in node.ops], ast.Load()),
            node.left,
            node.comparators[0],
            *(ast.Lambda(_NO_PARAMETERS, operand) for operand in later_operands),
        )

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        value = self._make_recorder_call(
            "evaluate_in_place",
            self._make_place(node),
            ast.Constant(type(node.op).__name__),
            ast.Name(node.target.id, ast.Load()),
            node.value,
        )
        return ast.copy_location(ast.Assign([node.target], ast.copy_location(value, node)), node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant):
            return node
        return self._make_recorder_call(
            "evaluate_arithmetic", self._make_place(node), ast.Constant(type(node.op).__name__), node.left, node.right
        )

    def visit_Call(self, node: ast.Call) -> ast.AST:
        is_open = bool(node.args) and may_be_shorter(node.args[0])
        self.generic_visit(node)
        with self._change_state(_is_open=self._is_open or is_open):
            self._count_compared_values(node)
        if get_called_name(node) == "isinstance":
            self._wrap_explained(node, self._register_site(node))
        elif get_called_name(node) in ("abs", "fabs", "norm"):
            return self._make_recorder_call("record_distance", self._make_place(node), node)
        elif get_called_name(node) in ("map", "filter") and node.args and not isinstance(node.args[0], ast.Starred):
            node.args[0] = self._make_recorder_call("guard_callback", node.args[0])
        if self._counts_rounds and is_zip_call(node):
            return self._make_recorder_call("count_rounds", self._make_place(node), node)
        return node

    def _count_compared_values(self, node: ast.Call) -> None:
        """Count the values for `all(values)`, `not any(values)`, `np.all(array)` and `array.all()`, which are true for no values."""
        name = "any" if self._is_negated else "all"
        if self._is_optional:
            return
        if (
            isinstance(node.func, ast.Name)
            and node.func.id in ("sum", "max", "min")
            and node.args
            and self._counts_rounds
        ):
            self._count_comprehension(node.args[0])
        if get_called_name(node) in ("allclose", "isclose", "array_equal") and len(node.args) >= 2:
            node.args[:2] = [
                arg
                if isinstance(arg, ast.Starred)
                else self._make_recorder_call("count_elements", self._make_place(arg), arg)
                for arg in node.args[:2]
            ]
        if get_called_name(node) != name:
            return
        place = self._make_place(node)
        if isinstance(node.func, ast.Name) and len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
            node.args[0] = self._make_recorder_call("count_items", place, node.args[0])
        elif isinstance(node.func, ast.Attribute) and node.args and not isinstance(node.args[0], ast.Starred):
            node.args[0] = self._make_recorder_call("count_elements", place, node.args[0])
        elif isinstance(node.func, ast.Attribute) and not node.args:
            node.func.value = self._make_recorder_call("count_elements", place, node.func.value)

    @property
    def _counts_rounds(self) -> bool:
        """Whether this code runs as often as with the reference: a function may be a callback, unless it is a test."""
        return not (self._is_optional or self._function_depth)

    def _count_comprehension(self, node: ast.expr) -> None:
        """Count the values that a comprehension iterates over."""
        if isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp):
            first = node.generators[0]
            first.iter = self._make_recorder_call("count_rounds", self._make_place(node), first.iter)

    def _rewrite_with(self, node: ast.With | ast.AsyncWith) -> ast.AST:
        is_raises = is_raises_block(node)
        inner = node.body[0]
        self.generic_visit(node)
        for item in node.items if is_raises else []:
            call = item.context_expr
            if isinstance(call, ast.Call) and get_called_name(call) in RAISES_FUNCTIONS:
                feedback = self._find_author_message(call) or self.feedback_by_line.get(node.lineno, "")
                call.func = self._make_recorder_call(
                    "wrap_assert_function",
                    self._register_site(inner, feedback=feedback),
                    self._make_place(call),
                    call.func,
                )
        return node

    visit_With = visit_AsyncWith = _rewrite_with

    def _rewrite_condition(self, test: ast.expr) -> ast.expr:
        """Return the condition of an assertion, with each part of it recording its value."""
        return ast.copy_location(self._rewrite_condition_node(test), test)

    def _rewrite_condition_node(self, test: ast.expr) -> ast.expr:
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            test.values = [self._rewrite_condition(value) for value in test.values]
            return test
        number = self._register_site(test)
        if isinstance(test, ast.BoolOp):
            with self._change_state(_is_optional=True):
                test.values = [self._rewrite_condition(value) for value in test.values]
            return self._make_recorder_call("check_without_values", number, test)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            number = self._register_site(test.operand)
            with self._change_state(_is_negated=not self._is_negated):
                return self._make_recorder_call("check_false", number, self.visit(test.operand))
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            return self._rewrite_comparison(test)
        if isinstance(test, ast.Compare):
            kinds = [ast.Constant(type(operation).__name__) for operation in test.ops]
            sides = [self.visit(side) for side in (test.left, *test.comparators)]
            return self._make_recorder_call(
                "check_chain", number, self._make_place(test), ast.Tuple([*kinds], ast.Load()), *sides
            )
        if isinstance(test, ast.Call) and get_called_name(test) in EXPLAINED_CALLS and test.args:
            number = self._register_site(test.args[0])
            self.generic_visit(test)
            self._wrap_explained(test, number, is_counted=not self._is_optional)
            return self._make_recorder_call("check_true", number, test)
        has_no_values = isinstance(test, ast.Call) and get_called_name(test) in ("all", "any", "callable", "hasattr")
        return self._make_recorder_call(
            "check_truth_without_values" if has_no_values else "check_true", number, self.visit(test)
        )

    def _rewrite_comparison(self, test: ast.Compare) -> ast.expr:
        left, right, operator_class = test.left, test.comparators[0], type(test.ops[0]).__name__
        # The value from the student's code is reported. A literal is the author's.
        is_swapped = _is_literal(left) and not _is_literal(right)
        number = self._register_site(right if is_swapped else left, is_swapped=is_swapped)
        return self._make_recorder_call(
            "check_comparison",
            number,
            self._make_place(test),
            ast.Constant(operator_class),
            self.visit(left),
            self.visit(right),
        )

    def _wrap_explained(self, call: ast.Call, number: ast.Constant, *, is_counted: bool = False) -> None:
        func = call.func
        is_wrapped = (
            isinstance(func, ast.Call) and isinstance(func.func, ast.Attribute) and func.func.attr == "record_call"
        )
        if not is_wrapped:
            place = self._make_place(call) if is_counted else ast.Constant("")
            call.func = self._make_recorder_call("record_call", number, place, func)

    def _register_site(self, node: ast.AST, *, feedback: str = "", is_swapped: bool = False) -> ast.Constant:
        expression = None if self.source is None else get_short_segment(node, self.source)
        return ast.Constant(self.recorder.register_site(expression, feedback, is_swapped=is_swapped))

    def _find_author_message(self, call: ast.Call) -> str:
        """Return the author's message in a call of an assert function: `msg="…"`, `err_msg="…"`, or unittest's last argument."""
        for keyword in call.keywords:
            if keyword.arg in ("msg", "err_msg") and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
        name = get_called_name(call)
        for message in call.args[(index := MESSAGE_INDEXES.get(name, len(call.args))) : index + 1]:
            if isinstance(message, ast.Constant) and isinstance(message.value, str):
                return message.value
        return ""

    def _make_place(self, node: ast.expr | ast.stmt) -> ast.Constant:
        """Return the place of a node, by which values are counted (see `comparison_counts`); empty if the node is optional."""
        place = "" if self._is_optional else format_counted_place(node.lineno, node.col_offset, is_open=self._is_open)
        return ast.Constant(place)

    def _make_recorder_call(self, method: str, *arguments: ast.expr) -> ast.Call:
        return ast.Call(ast.Attribute(ast.Constant(RECORDER_PLACEHOLDER), method, ast.Load()), list(arguments), [])


def _list_jumps(loop: ast.AST, *, is_inner: bool = False) -> Iterator[ast.AST]:
    """List the statements with which a loop ends early or continues early: not those of functions, nor of inner loops."""
    for node in ast.iter_child_nodes(loop):
        if isinstance(node, ast.Return) or (isinstance(node, ast.Break | ast.Continue) and not is_inner):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from _list_jumps(node, is_inner=is_inner or isinstance(node, ast.For | ast.AsyncFor | ast.While))


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
