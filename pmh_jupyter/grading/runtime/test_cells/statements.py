"""Splits a test cell into its top-level statements.

nbgrader's rule decides about points: every assertion must hold, and nothing may raise. Continuing after the first failed assertion
only gives the student more feedback. A statement between the markers of hidden tests has no name, and none of its operands is shown.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pmh_jupyter.grading.runtime.execution.source_segments import get_short_segment, get_source_segment
from pmh_jupyter.grading.runtime.execution.text_clipping import clip
from pmh_jupyter.grading.runtime.test_cells.assertion_nodes import (
    is_assert_call,
    is_raises_block,
    raises_assertion_error,
)
from pmh_jupyter.grading.runtime.test_cells.partial_credit import assign_credit_value
from pmh_jupyter.python_source.hidden_tests import BEGIN_HIDDEN_TESTS, END_HIDDEN_TESTS
from pmh_jupyter.python_source.lines import split_source_lines

# The author's message to a student whose answer fails the assertion below it: `# feedback: Mind the empty list.`
FEEDBACK_COMMENT = re.compile(r"\s*#+\s*feedback:\s*(.+?)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class StatementSpec:
    """Describes one top-level statement of a test cell.

    name, expression: strings for the student; "" if the statement is hidden.
    has_assertion: the statement itself is a test.
    always_asserts: it cannot pass without reaching an assertion.
    is_credit_expression: its value is partial credit (see `partial_credit`).
    line, column: where it begins. This identifies it, because a run of the visible tests has fewer statements.
    """

    name: str
    expression: str
    is_hidden: bool
    has_assertion: bool
    always_asserts: bool
    is_credit_expression: bool
    line: int
    column: int

    @property
    def position(self) -> str:
        """Where it begins."""
        return f"{self.line}:{self.column}"


@dataclass(frozen=True)
class Statement(StatementSpec):
    """A statement with its rewritten syntax tree."""

    node: ast.stmt


class StatementRewriter(Protocol):
    """Makes the assertions of a statement record their values."""

    def rewrite(self, node: ast.stmt, source: str | None, feedback_by_line: dict[int, str]) -> None:
        """Change the statement in place. See `AssertionRewriter` for the arguments."""


def read_statements(tree: ast.Module, source: str, rewriter: StatementRewriter | None = None) -> list[Statement]:
    """Return the statements of a test cell.

    tree: the syntax tree of `source`, which is plain Python. rewriter: changes every statement of the tree in place.
    """
    hidden_lines = set(_iter_hidden_lines(source))
    asserting_functions = {
        node.name for node in tree.body if isinstance(node, FUNCTION_NODES) and _contains_assertion(node)
    }
    feedback_by_line = find_feedback_comments(source)
    statements = []
    for node in tree.body:
        text = get_source_segment(node, source)
        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        is_hidden = not hidden_lines.isdisjoint(lines) or BEGIN_HIDDEN_TESTS in text
        labels = ("", "") if is_hidden else (_get_display_name(node, source), _get_display_expression(node, source))
        has_assertion = _has_assertion(node, asserting_functions)
        rewritten = assign_credit_value(node, source) if node is tree.body[-1] and not has_assertion else node
        if rewriter is not None:  # not `if rewriter`: an empty collection is false
            rewriter.rewrite(rewritten, None if is_hidden else source, feedback_by_line)
        always_asserts = isinstance(rewritten, ast.Assert) or _is_recorder_call(rewritten)
        statements.append(
            Statement(
                *labels,
                is_hidden,
                has_assertion,
                always_asserts=always_asserts,
                is_credit_expression=rewritten is not node,
                line=node.lineno,
                column=node.col_offset,
                node=rewritten,
            )
        )
    return statements


def _is_recorder_call(node: ast.stmt) -> bool:
    """Return True for a call whose function the rewriter has wrapped: it asserts itself, unlike a call of a helper by its name."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Call)


def find_feedback_comments(source: str) -> dict[int, str]:
    """Return the author's messages, each by the number of the line below its comment."""
    lines = split_source_lines(source)
    feedback_by_line: dict[int, str] = {}
    for number, line in enumerate(lines, start=1):
        match = FEEDBACK_COMMENT.fullmatch(line)
        if match:
            feedback_by_line[number + 1] = " ".join(filter(None, (feedback_by_line.pop(number, ""), match[1])))
    return feedback_by_line


def remove_hidden_tests(source: str) -> str:
    """Return the source without its hidden tests."""
    hidden_lines = set(_iter_hidden_lines(source))
    lines = split_source_lines(source, keepends=True)
    return "".join(line for number, line in enumerate(lines, start=1) if number not in hidden_lines)


def _iter_hidden_lines(source: str) -> Iterator[int]:
    in_hidden_tests = False
    for number, line in enumerate(split_source_lines(source), start=1):
        in_hidden_tests = in_hidden_tests or BEGIN_HIDDEN_TESTS in line
        if in_hidden_tests:
            yield number
        in_hidden_tests = in_hidden_tests and END_HIDDEN_TESTS not in line


FUNCTION_NODES = (ast.FunctionDef, ast.AsyncFunctionDef)


def _has_assertion(node: ast.stmt, asserting_functions: set[str]) -> bool:
    """Return True for an assertion, a block with one, and a call of an assert function or of a helper that asserts; else False."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    return _contains_assertion(node) or any(
        isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in asserting_functions
        for inner in ast.walk(node)
    )


def _contains_assertion(node: ast.AST) -> bool:
    return any(
        isinstance(inner, ast.Assert)
        or is_raises_block(inner)
        or raises_assertion_error(inner)
        or (isinstance(inner, ast.Expr) and is_assert_call(inner.value))
        for inner in ast.walk(node)
    )


def _get_display_name(node: ast.stmt, source: str) -> str:
    if isinstance(node, ast.Assert) and isinstance(node.msg, ast.Constant) and isinstance(node.msg.value, str):
        return clip(node.msg.value)
    if isinstance(node, ast.Assert):
        return get_short_segment(node.test, source)
    return _get_display_expression(node, source)


def _get_display_expression(node: ast.stmt, source: str) -> str:
    """Return the expression that the student reads: the left operand of a comparison, else the condition, else the first line."""
    if isinstance(node, ast.Assert):
        is_single_comparison = isinstance(node.test, ast.Compare) and len(node.test.ops) == 1
        return get_short_segment(
            node.test.left if is_single_comparison and isinstance(node.test, ast.Compare) else node.test, source
        )
    return get_short_segment(node, source).partition("\n")[0].rstrip(":")
