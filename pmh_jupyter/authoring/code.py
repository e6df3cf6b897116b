"""What can be said of a code cell without running it."""

from __future__ import annotations

import ast

# Calls that show something, and can tell no wrong answer.
_SHOWING = frozenset({"print", "display"})


def parse(source: str) -> ast.Module:
    """The cell's syntax tree; magics and shell lines are understood as IPython does. Raises SyntaxError."""
    try:
        return _parse(source)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager  # dear to import, and seldom needed

        return _parse(TransformerManager().transform_cell(source))  # type: ignore[no-untyped-call]


def asserts(tree: ast.Module) -> bool:
    """True where the cell itself tells a wrong answer: an assert, a raise, or a call such as assert_allclose or pytest.raises."""
    return any(
        isinstance(node, ast.Assert | ast.Raise)
        or (isinstance(node, ast.Call) and _called(node).startswith(("assert", "raises")))
        for node in ast.walk(tree)
    )


def can_fail(tree: ast.Module) -> bool:
    """True where a wrong answer could show at all: the cell asserts, or calls something that may raise."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return asserts(tree) or any(_called(call) not in _SHOWING for call in calls)


def _parse(source: str) -> ast.Module:
    tree = compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""
