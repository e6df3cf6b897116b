"""Analyzes code cells without running them."""

from __future__ import annotations

import ast

from pmh_jupyter.python_source import parsing
from pmh_jupyter.python_source.names import get_called_name
from pmh_jupyter.python_source.plain_python import transform_ipython_syntax

# Functions that only display values, so they never fail for a wrong answer.
_DISPLAY_FUNCTIONS = frozenset({"print", "display"})


def parse(source: str) -> ast.Module:
    """Return the cell's syntax tree, with magics and shell lines transformed as by IPython. Raises SyntaxError."""
    try:
        return parsing.parse(source)
    except SyntaxError:
        return parsing.parse(transform_ipython_syntax(source))


def has_assertion(tree: ast.Module) -> bool:
    """Return whether the cell itself can detect a wrong answer: by an assert, a raise, or a call like assert_allclose or pytest.raises."""
    return any(
        isinstance(node, ast.Assert | ast.Raise)
        or (isinstance(node, ast.Call) and get_called_name(node).startswith(("assert", "raises")))
        for node in ast.walk(tree)
    )


def can_fail(tree: ast.Module) -> bool:
    """Return whether the cell could fail for a wrong answer: it has an assertion, or calls a function that may raise."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return has_assertion(tree) or any(get_called_name(call) not in _DISPLAY_FUNCTIONS for call in calls)
