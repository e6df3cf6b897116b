"""Partial credit: a test cell that ends in an expression gives as many points as its value says.

The value goes out as one more test, the last: `reason` "credit" with the number as text, or "invalid-credit" with the name of its type. None
says nothing, as a cell that ends in `print(…)` does.
"""

from __future__ import annotations

import ast
import math
from typing import Any

from pmh_jupyter.grading.runtime.execution.source_lines import split_source_lines
from pmh_jupyter.grading.runtime.execution.text_clipping import clip

CREDIT_VARIABLE = "_pmh_value"
_str, _type, _isfinite = str, type, math.isfinite


def assign_credit_value(node: ast.stmt, source: str) -> ast.stmt:
    """The last statement of a test cell, which asserts nothing: an expression's value is kept under VALUE, unless a `;` follows it."""
    if not isinstance(node, ast.Expr) or _strip_trailing_comments(source).endswith(";"):
        return node
    return ast.copy_location(
        ast.Assign([ast.copy_location(ast.Name(CREDIT_VARIABLE, ast.Store()), node)], node.value), node
    )


def pop_credit(namespace: dict[str, Any]) -> dict[str, str] | None:
    """What the value that a statement kept says: `reason` and `text` of a test; None where nothing is said."""
    value = dict.pop(namespace, CREDIT_VARIABLE, None)
    if value is None:
        return None
    if _type(value) is float and not _isfinite(value):
        return {"reason": "invalid-credit", "text": "nan" if value != value else "inf"}
    if _type(value) is float or (_type(value) is int and value.bit_length() < 64):
        return {"reason": "credit", "text": _str(value)}
    name = _type(value).__name__
    return {"reason": "invalid-credit", "text": clip(name, 80) if _type(name) is str else "object"}


def _strip_trailing_comments(source: str) -> str:
    """The source without the comments and blanks behind its last statement, as far as a look at its lines can tell."""
    lines = [line.rstrip() for line in split_source_lines(source) if line.strip() and not line.lstrip().startswith("#")]
    last_line = lines[-1] if lines else ""
    return last_line.partition(" #")[0].rstrip()
