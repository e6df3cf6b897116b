"""What can be said of a code cell without running it."""

from __future__ import annotations

import ast

from pmh_jupyter.domain import python_syntax

# Calls that show something, and can tell no wrong answer.
_DISPLAY_FUNCTIONS = frozenset({"print", "display"})


def parse(source: str) -> ast.Module:
    """The cell's syntax tree; magics and shell lines are understood as IPython does. Raises SyntaxError."""
    try:
        return python_syntax.parse(source, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager  # dear to import, and seldom needed

        python_source = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
        return python_syntax.parse(python_source, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def has_assertion(tree: ast.Module) -> bool:
    """True where the cell itself tells a wrong answer: an assert, a raise, or a call such as assert_allclose or pytest.raises."""
    return any(
        isinstance(node, ast.Assert | ast.Raise)
        or (isinstance(node, ast.Call) and _called_name(node).startswith(("assert", "raises")))
        for node in ast.walk(tree)
    )


def can_fail(tree: ast.Module) -> bool:
    """True where a wrong answer could show at all: the cell asserts, or calls something that may raise."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return has_assertion(tree) or any(_called_name(call) not in _DISPLAY_FUNCTIONS for call in calls)


def _called_name(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""
