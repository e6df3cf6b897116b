"""Comparisons that do not trust the operators of a student's class.

A comparison in a test cell gives Python's result, unless a method of a class that the student defined would decide it. Such a result
counts only if the reference solution had an object of one of its own classes there, too (`allowed_operators`). Even then, the object is
probed with unpredictable values.
"""

from __future__ import annotations

import operator
import secrets
import sys
from collections.abc import Callable, Collection, Iterator
from typing import Any

from pmh_jupyter.grading.runtime.proxies.operators import OPPOSITE_OPERATORS
from pmh_jupyter.grading.runtime.test_cells.class_provenance import ClassProvenance, is_plain_data
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

_type, _len, _issubclass, _bool, _map, _set = type, len, issubclass, bool, map, set
_mro = type.__dict__["__mro__"].__get__
_name = type.__dict__["__name__"].__get__
MAX_ELEMENTS = 200_000
MAX_DEPTH = 6
OPERATOR_METHODS = {
    "eq": ("__eq__",),
    "ne": ("__ne__", "__eq__"),
    "lt": ("__lt__", "__gt__"),
    "le": ("__le__", "__ge__"),
    "gt": ("__gt__", "__lt__"),
    "ge": ("__ge__", "__le__"),
    "contains": ("__contains__", "__iter__", "__getitem__", "__eq__"),
    "bool": ("__bool__", "__len__"),
    "not-ne": ("__ne__", "__eq__"),
    "alike": ("__eq__", "__ne__", "__lt__", "__gt__", "__array_function__", "__array_ufunc__", "__rsub__", "__sub__"),
}
# Names in `NotebookUsage.operators`, where they differ.
_RECORDED_OPERATOR_NAMES = {"not-ne": "ne", "alike": "eq"}
_OPPOSITE_FUNCTIONS = {name: getattr(operator, OPPOSITE_OPERATORS[name]) for name in ("lt", "le", "gt", "ge")}
DISHONEST_OPERATOR = TestReason.DISHONEST_OPERATOR


class UniqueObject:
    """Equals no value and is contained in none. An object that claims otherwise makes false claims."""


class Comparator:
    """Compares values for one test cell.

    add_flag: called with code and detail for every dishonest operator.
    allowed_operators: operators that the reference solution used on objects of its own classes; None if not known.

    `used_operators` collects the same for the notebook that is graded now.
    """

    def __init__(
        self,
        provenance: ClassProvenance,
        add_flag: Callable[[str, str], None],
        allowed_operators: Collection[str] | None = None,
    ) -> None:
        self.provenance, self.add_flag = provenance, add_flag
        self.allowed_operators = None if allowed_operators is None else frozenset(allowed_operators)
        self.used_operators: set[str] = set()
        self.statement_line = 0  # of the statement that is being run

    def is_honest(self, name: str, left: Any, right: Any) -> bool:
        """Return False if the operator's result for these operands must not count."""
        if (
            is_plain_data(left)
            and is_plain_data(right)
            and _type(left) not in _CONTAINER_TYPES
            and _type(right) not in _CONTAINER_TYPES
        ):
            return True
        deciders_by_operand = [[*self._find_deciders(side, OPERATOR_METHODS[name])] for side in (left, right)]
        deciders = [decider for side in deciders_by_operand for decider in side]
        if not deciders:
            return True
        operator_name = _RECORDED_OPERATOR_NAMES.get(name, name)
        usage_keys = (
            {operator_name}
            if all(deciders_by_operand)
            else {operator_name, f"{operator_name} plain-data {self.statement_line}"}
        )  # the same keys as in separate_process/contract.py
        self.used_operators |= usage_keys
        if self.allowed_operators is not None and not usage_keys <= self.allowed_operators:
            return self._flag_dishonest(operator_name, deciders[0])
        for decider in deciders:
            if _claims_the_impossible(name, decider):
                return self._flag_dishonest(name, decider)
        student_left = left if any(decider is left for decider in deciders) else None
        if (
            student_left is not None
            and name in _OPPOSITE_FUNCTIONS
            and _evaluates_true(_OPPOSITE_FUNCTIONS[name], left, right)
        ):
            return self._flag_dishonest(name, left)
        return True

    def allows_arithmetic(self, name: str, left: Any, right: Any) -> bool:
        """Return False if an arithmetic operator is a student's method where the reference solution had plain data."""
        for value, operator_name in ((left, name), (right, f"r{name}")):
            if (
                not is_plain_data(value)
                and self.provenance.find_student_class(_type(value), (f"__{operator_name}__",)) is not None
            ):
                self.used_operators.add(operator_name)
                if self.allowed_operators is not None and not self.allowed_operators & {name, operator_name}:
                    return self._flag_dishonest(operator_name, value)
        return True

    def is_true(self, value: Any) -> bool:
        """`bool(value)`, but False if a student's method decides it where the reference solution had plain data."""
        if is_plain_data(value):
            return _bool(value)
        if self.provenance.find_student_class(_type(value), OPERATOR_METHODS["bool"]) is not None:
            self.used_operators.add("bool")
            if self.allowed_operators is not None and "bool" not in self.allowed_operators:
                return self._flag_dishonest("bool", value)
        return _bool(value)

    def is_false(self, value: Any) -> bool:
        """`not value`, but False if a student's method decides it, as in `is_true`."""
        truth = self.is_true(value)
        must_verify = (
            not truth
            and not is_plain_data(value)
            and self.allowed_operators is not None
            and "bool" not in self.allowed_operators
        )
        return not truth and not (
            must_verify and self.provenance.find_student_class(_type(value), OPERATOR_METHODS["bool"]) is not None
        )

    def is_instance(self, value: Any, class_or_tuple: Any) -> bool:
        """Return False if only the student's code claims that a value is an instance (`__class__`, a metaclass's `__instancecheck__`)."""
        cls = _type(value)
        overriding_class = self.provenance.find_student_class(cls, ("__class__",))
        if (
            overriding_class is None
            and self.provenance.find_student_class(_type(class_or_tuple), ("__instancecheck__", "__subclasscheck__"))
            is None
        ):
            return True
        classes = class_or_tuple if _type(class_or_tuple) is tuple else (class_or_tuple,)
        if any(self._is_base(each, cls) for each in classes):
            return True
        return self._flag_dishonest("isinstance", value)

    def _is_base(self, candidate: Any, cls: type) -> bool:
        if any(candidate is base for base in _mro(cls)):
            return True
        # The class may be registered with an abstract class. A student's metaclass is not trusted.
        return self.provenance.is_trusted(_type(candidate)) and _evaluates_true(_issubclass, cls, candidate)

    def _flag_dishonest(self, name: str, operand: Any) -> bool:
        self.add_flag(DISHONEST_OPERATOR, f"{name}, {_name(_type(operand))}"[:200])
        return False

    def _find_deciders(self, value: Any, names: tuple[str, ...], depth: int = 0) -> Iterator[Any]:
        """Yield the objects whose methods would decide: the value itself, or objects in a container of plain data, one for each class."""
        if _type(value) not in _CONTAINER_TYPES:
            if not is_plain_data(value) and self.provenance.find_student_class(_type(value), names) is not None:
                yield value
            else:
                yield from self._find_deciders_in_array(value, names, depth)
            return
        if depth < MAX_DEPTH and _len(value) <= MAX_ELEMENTS:
            yield from self._find_deciders_in_elements(value, names, depth)
            if _type(value) is dict:
                yield from self._find_deciders_in_elements(list(value.values()), names, depth)

    def _find_deciders_in_elements(self, values: Any, names: tuple[str, ...], depth: int) -> Iterator[Any]:
        types = _set(_map(_type, values))
        unknown_types = {cls for cls in types if cls not in _SIMPLE_TYPES}
        if not unknown_types:
            return
        names = (*names, "__eq__")
        seen_types = _set()
        for value in values:
            value_type = _type(value)
            if value_type in unknown_types and (value_type in _CONTAINER_TYPES or value_type not in seen_types):
                seen_types.add(value_type)
                yield from self._find_deciders(value, names, depth + 1)

    def _find_deciders_in_array(self, value: Any, names: tuple[str, ...], depth: int) -> Iterator[Any]:
        """Yield the same for the elements of a NumPy array or a pandas table of objects."""
        numpy = sys.modules.get("numpy")
        if numpy is None or depth >= MAX_DEPTH:
            return
        value_type = _type(value)
        if (
            self.provenance.is_trusted(value_type)
            and str(value_type.__module__).startswith("pandas.")
            and hasattr(value, "to_numpy")
        ):
            value = value.to_numpy()
        if _type(value) is numpy.ndarray and value.dtype.hasobject and value.size <= MAX_ELEMENTS:
            yield from self._find_deciders_in_elements(value.ravel().tolist(), names, depth)


_CONTAINER_TYPES = frozenset({list, tuple, dict, set, frozenset})
_SIMPLE_TYPES = frozenset({type(None), bool, int, float, complex, str, bytes, bytearray, range})


def _claims_the_impossible(name: str, operand: Any) -> bool:
    """Return whether an object claims to equal or to contain a value that was just created, which an honest object cannot."""
    unique_values = (
        UniqueObject(),
        secrets.randbits(62),
        secrets.token_hex(8),
        secrets.randbits(52) / 7,
        [secrets.token_hex(4)],
    )
    if name == "contains" and any(_evaluates_true(operator.contains, operand, value) for value in unique_values):
        return True
    if name == "ne":
        return _evaluates_true(operator.ne, operand, operand) and _evaluates_true(operator.eq, operand, operand)
    if name == "not-ne":
        return any(_evaluates_not_unequal(operand, value) for value in unique_values)
    numpy = sys.modules.get("numpy")
    if name == "alike" and numpy is not None and _evaluates_true(numpy.allclose, operand, unique_values[3]):
        return True
    if name in ("eq", "contains", "le", "ge", "alike"):
        return any(_evaluates_true(operator.eq, operand, value) for value in unique_values)
    return False


def _evaluates_not_unequal(left: Any, right: Any) -> bool:
    try:
        return not left != right
    except Exception:  # noqa: BLE001 - a student's operator may raise anything
        return False


def _evaluates_true(operation: Callable[[Any, Any], Any], left: Any, right: Any) -> bool:
    try:
        return _bool(operation(left, right))
    except Exception:  # noqa: BLE001 - a student's operator may raise anything
        return False
