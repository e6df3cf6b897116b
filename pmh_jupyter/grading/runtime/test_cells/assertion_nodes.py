"""Recognizes assertions and their messages in a syntax tree."""

from __future__ import annotations

import ast

from pmh_jupyter.python_source.names import get_called_name

RAISES_FUNCTIONS = frozenset(
    {"raises", "warns", "assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex", "assertLogs"}
)
# Position of the message among the arguments of unittest's methods. A function of the lesson may have its expected value there.
MESSAGE_INDEXES: dict[str, int] = {
    **dict.fromkeys(("assertTrue", "assertFalse", "assertIsNone", "assertIsNotNone"), 1),
    **{
        f"assert{name}": 2
        for name in (
            "Equal NotEqual Is IsNot In NotIn IsInstance NotIsInstance Greater GreaterEqual Less LessEqual Regex NotRegex "
            "CountEqual ListEqual TupleEqual SetEqual DictEqual SequenceEqual MultiLineEqual"
        ).split()
    },
    **dict.fromkeys(("assertAlmostEqual", "assertNotAlmostEqual"), 3),
}


def is_assert_call(node: ast.AST) -> bool:
    """Return True for a call of a function whose name starts with "assert"."""
    return isinstance(node, ast.Call) and get_called_name(node).lower().startswith("assert")


def is_raises_block(node: ast.AST) -> bool:
    """Return True for `with pytest.raises(…)` and similar blocks."""
    return isinstance(node, ast.With | ast.AsyncWith) and any(
        isinstance(item.context_expr, ast.Call) and get_called_name(item.context_expr) in RAISES_FUNCTIONS
        for item in node.items
    )


def raises_assertion_error(node: ast.AST) -> bool:
    """Return True for `raise AssertionError`."""
    if not isinstance(node, ast.Raise) or node.exc is None:
        return False
    exception = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(exception, ast.Name) and exception.id == "AssertionError"


def is_test_function(node: ast.FunctionDef) -> bool:
    """Return whether a function is named like a test and has no parameters. With parameters, it may be a callback of the answer."""
    arguments = node.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return node.name.startswith("test") and names in ([], ["self"]) and not (arguments.vararg or arguments.kwarg)
