"""Partial credit: a test cell that ends in an expression gives as many points as its value says.

The value goes out as one more test, the last: `reason` "credit" with the number as text, or "unusual" with the name of its type. None
says nothing, as a cell that ends in `print(…)` does.
"""

from __future__ import annotations

import ast
import math
from typing import Any

from .text import clip

VALUE = "_pmh_value"
_str, _type, _isfinite = str, type, math.isfinite


def keeping(node: ast.stmt, source: str) -> ast.stmt:
    """The last statement of a test cell, which asserts nothing: an expression's value is kept under VALUE, unless a `;` follows it."""
    if not isinstance(node, ast.Expr) or _code_only(source).endswith(";"):
        return node
    return ast.copy_location(ast.Assign([ast.copy_location(ast.Name(VALUE, ast.Store()), node)], node.value), node)


def told(namespace: dict[str, Any]) -> dict[str, str] | None:
    """What the value that a statement kept says: `reason` and `text` of a test; None where nothing is said."""
    value = dict.pop(namespace, VALUE, None)
    if value is None:
        return None
    if _type(value) is float and not _isfinite(value):
        return {"reason": "unusual", "text": "nan" if value != value else "inf"}
    if _type(value) is float or (_type(value) is int and value.bit_length() < 64):
        return {"reason": "credit", "text": _str(value)}
    name = _type(value).__name__
    return {"reason": "unusual", "text": clip(name, 80) if _type(name) is str else "object"}


def _code_only(source: str) -> str:
    """The source without the comments and blanks behind its last statement, as far as a look at its lines can tell."""
    lines = [line.rstrip() for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    last = lines[-1] if lines else ""
    return last.partition(" #")[0].rstrip()
