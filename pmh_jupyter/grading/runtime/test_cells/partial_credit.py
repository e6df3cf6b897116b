"""Partial credit: the value of the expression at the end of a test cell is the number of points.

The value None (for example of `print(…)`) is not reported. See `CellResult` for other values.
"""

from __future__ import annotations

import ast
import math
from typing import Any

from pmh_jupyter.grading.runtime.execution.text_clipping import clip
from pmh_jupyter.grading.runtime.transport.result_fields import TestCellFields
from pmh_jupyter.python_source.lines import split_source_lines

CREDIT_VARIABLE = "_pmh_value"
_float, _int, _type, _isfinite = float, int, type, math.isfinite


def assign_credit_value(node: ast.stmt, source: str) -> ast.stmt:
    """Rewrite the last statement of a test cell, which asserts nothing: assign the value of an expression to `CREDIT_VARIABLE`.

    An expression with a `;` after it is not changed.
    """
    if not isinstance(node, ast.Expr) or _find_last_code_line(source).endswith(";"):
        return node
    return ast.copy_location(
        ast.Assign([ast.copy_location(ast.Name(CREDIT_VARIABLE, ast.Store()), node)], node.value), node
    )


def pop_credit(namespace: dict[str, Any]) -> TestCellFields:
    """Remove the value that `assign_credit_value` assigned. Returns the field credit or invalid_credit, or nothing for the value None."""
    value = dict.pop(namespace, CREDIT_VARIABLE, None)
    if value is None:
        return {}
    if _type(value) is _float and not _isfinite(value):
        return {"invalid_credit": "nan" if value != value else "inf"}
    if _type(value) is _float or (_type(value) is _int and value.bit_length() < 64):
        return {"credit": _float(value)}
    name = _type(value).__name__
    return {"invalid_credit": clip(name, 80) if _type(name) is str else "object"}


def _find_last_code_line(source: str) -> str:
    """Return the last line of code without a comment or blanks behind it, found line by line, without a tokenizer."""
    lines = [line.rstrip() for line in split_source_lines(source) if line.strip() and not line.lstrip().startswith("#")]
    last_line = lines[-1] if lines else ""
    return last_line.partition(" #")[0].rstrip()
