"""The types of plain data: values of Python's own types that contain no code and no object of another type.

Only the types themselves count, not classes that derive from them. A student's metaclass can give a class the hash of `int` and make it
equal to `int`, so the metaclass is checked before the type is looked up.

These modules answer other questions, so each has types of its own:
- `codec`: which values are sent by value. It includes dates, arrays and tables, and numbers of any size.
- `conversion`: which values derive from a plain type, and can be converted to it. `class_description` uses the immutable ones of these.
- `test_cells.comparison`: which values need not be copied before a comparison. It includes arrays of numbers.
- `separate_process.cells.reachable_values`: which values refer to no other value. It includes code.
- `separate_process.cells.test_namespace`: which received values are copies, of any type, and not proxies.
"""

from __future__ import annotations

from types import EllipsisType
from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

SCALAR_TYPES = frozenset({type(None), bool, int, float, complex, str, bytes, range, EllipsisType})
CONTAINER_TYPES = frozenset({list, tuple, dict, set, frozenset})
_PLAIN_TYPES = SCALAR_TYPES | CONTAINER_TYPES | {bytearray}
# Data with more values, or with containers nested more deeply, is not copied.
MAX_VALUES = 10_000
MAX_DEPTH = 50


class NotPlainData(Exception):
    """The value contains something else than plain data, or too much of it."""


def is_plain_data(value: Any) -> bool:
    """Return whether the type of a value is exactly one of the plain types. The items of a container are not inspected."""
    cls = type(value)
    return type(cls) is type and cls in _PLAIN_TYPES


def copy_plain_data(value: Any) -> Any:
    """Return a copy of a value, with copies of all containers in it. Raises `NotPlainData`."""
    return _copy(value, MAX_DEPTH, [MAX_VALUES])


def _copy(value: Any, remaining_depth: int, remaining_values: list[int]) -> Any:
    remaining_values[0] -= 1
    cls: Any = type(value)
    if type(cls) is not type or remaining_values[0] < 0 or remaining_depth < 0:
        raise NotPlainData
    if cls in SCALAR_TYPES:
        return value
    if cls not in CONTAINER_TYPES:
        raise NotPlainData

    def copy(item: Any) -> Any:
        return _copy(item, remaining_depth - 1, remaining_values)

    return {copy(key): copy(item) for key, item in value.items()} if cls is dict else cls(map(copy, value))
