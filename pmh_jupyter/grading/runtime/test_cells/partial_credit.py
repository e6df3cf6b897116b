"""Partial credit: the value of the expression at the end of a test cell is the number of points.

See `CellResult` for the values that are points. Only Python's and NumPy's own numbers are, because a number of another class decides itself
how many points it is.
"""

from __future__ import annotations

import ast
import math
from abc import ABCMeta
from decimal import Decimal
from fractions import Fraction
from numbers import Number
from typing import Any

from pmh_jupyter.grading.runtime.execution.text_clipping import clip
from pmh_jupyter.grading.runtime.transport.result_fields import TestCellFields
from pmh_jupyter.python_source.lines import find_last_code_line

CREDIT_VARIABLE = "_pmh_value"
_float, _int, _type, _isfinite, _issubclass = float, int, type, math.isfinite, issubclass
_Fraction, _Decimal, _Number, _ABCMeta = Fraction, Decimal, Number, ABCMeta
_NUMBER_CLASSES = (int, float, complex, Fraction, Decimal, Number)
_flags, _module = type.__dict__["__flags__"].__get__, type.__dict__["__module__"].__get__
_mro = type.__dict__["__mro__"].__get__
_TPFLAGS_HEAPTYPE = 1 << 9
# The kinds of NumPy's data types that are numbers: bool, integers, floats, complex.
_NUMERIC_KINDS = "biufc"


def assign_credit_value(node: ast.stmt, source: str) -> ast.stmt:
    """Rewrite the last statement of a test cell, which asserts nothing: assign the value of an expression to `CREDIT_VARIABLE`.

    An expression with a `;` after it is not changed.
    """
    if not isinstance(node, ast.Expr) or _is_silenced(source):
        return node
    return ast.copy_location(
        ast.Assign([ast.copy_location(ast.Name(CREDIT_VARIABLE, ast.Store()), node)], node.value), node
    )


def pop_credit(namespace: dict[str, Any]) -> TestCellFields:
    """Remove the value that `assign_credit_value` assigned. Returns the field credit_kind, with credit or invalid_credit."""
    value = dict.pop(namespace, CREDIT_VARIABLE, None)
    if value is None:
        return {"credit_kind": "none"}
    name = _type(value).__name__
    invalid_credit = clip(name, 80) if _type(name) is str else "object"
    is_number, value = _convert_number(value)
    if not is_number:
        return {"credit_kind": "other", "invalid_credit": invalid_credit}
    if _type(value) is _float and not _isfinite(value):
        invalid_credit = "nan" if value != value else "inf"
    elif _type(value) is _float or (_type(value) is _int and value.bit_length() < 64):
        return {"credit_kind": "number", "credit": _float(value)}
    return {"credit_kind": "number", "invalid_credit": invalid_credit}


def _convert_number(value: Any) -> tuple[bool, Any]:
    """Return whether a value is a number, and the value as an int or a float if it can be points."""
    class_ = _type(value)
    if _is_numpy_class(class_):
        if value.dtype.kind not in _NUMERIC_KINDS or value.shape != ():
            return False, value
        number = value.item()
        return True, number if value.dtype.kind in "biuc" else _float(number)  # a long double stays one
    if class_ is _Fraction or class_ is _Decimal:
        try:
            return True, _float(value)
        except (OverflowError, ValueError):  # too large, or a signaling NaN
            return True, value
    return _is_number_class(class_), value


def _is_number_class(class_: type) -> bool:
    """Return whether a class derives from a class of numbers or, without a metaclass of its own, is registered as one."""
    if any(base is number_class for base in _mro(class_) for number_class in _NUMBER_CLASSES):
        return True
    return _type(class_) in (type, _ABCMeta) and _issubclass(class_, _Number)


def _is_numpy_class(class_: type) -> bool:
    """Return whether this is NumPy's class of arrays or of one of its scalars. A class of Python code never is, whatever it claims."""
    return not _flags(class_) & _TPFLAGS_HEAPTYPE and _module(class_) == "numpy" and hasattr(class_, "dtype")


def _is_silenced(source: str) -> bool:
    """Return whether the last line of code ends with a semicolon, found line by line, without a tokenizer."""
    return find_last_code_line(source)[1].rstrip().partition(" #")[0].rstrip().endswith(";")
