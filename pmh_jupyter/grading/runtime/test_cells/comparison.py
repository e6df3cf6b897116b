"""Comparisons that do not trust the operators of the objects that they compare.

A comparison in a test cell compares copies of data, made as for a separate process. If an operand is or contains an object that is not
data and decides what it equals, the result counts only if the reference solution had such an object there, too (`allowed_operators`): an
object of one of its own classes, or one of the same class of a library. An object of the notebook's own class is also probed with
unpredictable values.
"""

from __future__ import annotations

import operator
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from fractions import Fraction
from pathlib import PurePosixPath
from types import BuiltinFunctionType, GenericAlias, MethodType, UnionType
from typing import Any, List, NamedTuple, Optional  # noqa: UP035 - their objects differ from those of `types`
from uuid import UUID

from pmh_jupyter.grading.runtime.marshalling.plain_data import is_plain_data
from pmh_jupyter.grading.runtime.proxies.operators import OPPOSITE_OPERATORS
from pmh_jupyter.grading.runtime.test_cells.class_provenance import ClassProvenance, is_static
from pmh_jupyter.grading.runtime.test_cells.comparator import Comparator
from pmh_jupyter.grading.runtime.test_cells.contract_entries import ClaimDetail
from pmh_jupyter.grading.runtime.test_cells.data_copies import copy_data
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

__builtins__ = BUILTINS

_name = type.__dict__["__name__"].__get__
_mro = type.__dict__["__mro__"].__get__
# What equality in a container, and NumPy, ask the elements.
_ELEMENT_METHODS = ("__eq__", "__array_ufunc__", "__array_function__")
OPERATOR_METHODS = {
    "eq": ("__eq__",),
    "ne": ("__ne__", "__eq__"),
    "lt": ("__lt__", "__gt__"),
    "le": ("__le__", "__ge__"),
    "gt": ("__gt__", "__lt__"),
    "ge": ("__ge__", "__le__"),
    "contains": ("__contains__", "__iter__", "__getitem__"),
    "bool": ("__bool__", "__len__"),
    "alike": ("__eq__", "__ne__", "__lt__", "__gt__", "__rsub__", "__sub__"),
}
_CONTAINER_TYPES = frozenset({list, tuple, dict, set, frozenset})
MAX_DEPTH = 6
_ORDER_FUNCTIONS = {name: getattr(operator, name) for name in ("lt", "le", "gt", "ge")}
_SCALAR_TYPES = frozenset({type(None), bool, int, float, complex, str, bytes, bytearray, range})
_DATA_CLASSES_IN_PYTHON = (Counter, Fraction, PurePosixPath, UUID)  # whose methods the student's code could replace
# Functions, and types as in annotations. They only equal each other.
_TYPE_EXPRESSION_CLASSES = frozenset(
    {BuiltinFunctionType, MethodType, GenericAlias, UnionType, type(Optional[int]), type(List[int])}  # noqa: UP006, UP045
)
_DATA_MODULES = frozenset(
    "builtins array collections datetime decimal enum fractions pathlib numpy pandas sympy".split()
)
DISHONEST_OPERATOR = TestReason.DISHONEST_OPERATOR
# A plain string: the student's code could change what an enum does.
_WITH_DATA = ClaimDetail.WITH_DATA.value


class UniqueObject:
    """Equals no value and is contained in none. An object that claims otherwise makes false claims."""


class _Operand(NamedTuple):
    """An operand with copies in place of data, and what in it is not data and decides a comparison.

    student_objects: objects of the student's classes. library_classes: the names of the classes of other objects.
    """

    copy: Any
    student_objects: list[Any]
    library_classes: set[str]


class HardenedComparator(Comparator):
    """Compares values for one in-process test cell.

    add_flag: called with code and detail for every dishonest operator.
    allowed_operators: operators that the reference solution used on objects that are not data (see `NotebookUsage`); None if not known.
    namespace: the names of the test cell, as the test's `globals()` returns them.

    `used_operators` collects the same for the notebook that is graded now.
    """

    def __init__(
        self,
        provenance: ClassProvenance,
        add_flag: Callable[[str, str], None],
        allowed_operators: Collection[str] | None = None,
        namespace: object = None,
    ) -> None:
        self.provenance, self.add_flag, self.namespace = provenance, add_flag, namespace
        self.allowed_operators = None if allowed_operators is None else frozenset(allowed_operators)
        self.used_operators: set[str] = set()

    def prepare(self, name: str, left: Any, right: Any) -> tuple[Any, Any] | None:
        """Return the operands to compare, with copies in place of data. None if the result of the operator must not count."""
        if _is_simple(left) and _is_simple(right):
            return left, right
        methods = (*OPERATOR_METHODS[name], *_ELEMENT_METHODS)
        left_operand, right_operand = self._copy(left, methods), self._copy(right, methods)
        operator_name = "eq" if name == "alike" else name
        if name == "contains" and self._is_searched_item_by_item(right, right_operand):
            if not self.provenance.is_trusted(type(right)):  # another answer's class may have `__contains__`
                self._allows({name, f"{name} {_WITH_DATA} {self.statement_line}"})
            right_operand = _Operand(self._iterate_copies(left, right), [], set())
        if not self._allows_libraries(operator_name, left_operand, right_operand):
            return None
        student_objects = [*left_operand.student_objects, *right_operand.student_objects]
        if not student_objects:
            return left_operand.copy, right_operand.copy
        is_with_data = not (left_operand.student_objects and right_operand.student_objects)
        keys = (
            {operator_name, f"{operator_name} {_WITH_DATA} {self.statement_line}"} if is_with_data else {operator_name}
        )
        if not self._allows(keys):
            self._refuse(operator_name, student_objects, methods)
            return None
        false_claim = self._find_false_claim(name, left, right, student_objects)
        if false_claim:
            self._refuse(name, false_claim, methods)
            return None
        return self._choose_copy(left, left_operand), self._choose_copy(right, right_operand)

    def prepare_arithmetic(self, name: str, left: Any, right: Any) -> tuple[Any, Any] | None:
        """Return the operands of an arithmetic operator. None for an object's method where the reference solution had plain data.

        Data of a class of the student is copied, unless the student's class decides.
        """
        operands = []
        for value, operator_name in ((left, name), (right, f"r{name}")):
            if is_plain_data(value) or _is_simple(value):
                operands.append(_Operand(value, [], set()))
                continue
            methods = (f"__{operator_name}__", "__array_ufunc__")
            operand = self._copy(value, methods)
            if operand.student_objects:
                self.used_operators.add(operator_name)
                if self.allowed_operators is not None and not self.allowed_operators & {name, operator_name}:
                    self._refuse(operator_name, operand.student_objects, methods)
                    return None
            operands.append(operand if not self.provenance.is_trusted(type(value)) else operand._replace(copy=value))
        left_operand, right_operand = operands
        if not self._allows_libraries(name, left_operand, right_operand):
            return None
        if left_operand.student_objects or right_operand.student_objects:
            return left, right
        return left_operand.copy, right_operand.copy

    def is_true(self, value: Any) -> bool:
        return self._has_honest_truth(value) and bool(value)

    def is_false(self, value: Any) -> bool:
        return self._has_honest_truth(value) and not value

    def _has_honest_truth(self, value: Any) -> bool:
        """Return False if a student's method decides about the truth of a value where the reference solution had plain data."""
        methods = OPERATOR_METHODS["bool"]
        if is_plain_data(value) or self.provenance.find_student_class(type(value), methods) is None:
            return True
        if self._allows({"bool"}):
            return True
        self._refuse("bool", [value], methods)
        return False

    def is_instance(self, value: Any, class_or_tuple: Any) -> bool:
        """Return False if only the object claims to be an instance (`__class__`), or a student's class claims it (`__instancecheck__`)."""
        cls, provenance = type(value), self.provenance
        is_claimed_by_student = (
            provenance.find_student_class(cls, ("__class__",)) is not None
            or provenance.find_student_class(type(class_or_tuple), ("__instancecheck__", "__subclasscheck__"))
            is not None
        )
        if not is_claimed_by_student and provenance.find_deciding_class(cls, ("__class__",)) is None:
            return True
        classes = class_or_tuple if type(class_or_tuple) is tuple else (class_or_tuple,)
        if any(self._is_base(each, cls) for each in classes):
            return True
        if is_claimed_by_student:
            self._add_flag("isinstance", value)
        return False

    def _is_base(self, candidate: Any, cls: type) -> bool:
        if any(candidate is base for base in _mro(cls)):
            return True
        # The class may be registered with an abstract class. A student's metaclass is not trusted.
        return self.provenance.is_trusted(type(candidate)) and _evaluates_true(issubclass, cls, candidate)

    def _refuse(self, name: str, objects: list[Any], methods: tuple[str, ...]) -> None:
        """Flag an object whose method the student has written. A method that its class inherits from a library is not flagged."""
        for item in objects:
            if self.provenance.find_student_class(type(item), methods) is not None:
                self._add_flag(name, item)
                return

    def _add_flag(self, name: str, operand: Any) -> None:
        self.add_flag(DISHONEST_OPERATOR, f"{name}, {_name(type(operand))}"[:200])

    def _copy(self, value: Any, methods: tuple[str, ...]) -> _Operand:
        operand = _Operand(value, [], set())
        if _is_simple(value) or value is self.namespace:
            return operand
        copy, objects = copy_data(value, lambda cls: self._is_data_class(cls, methods))
        if any(self.provenance.find_student_class(cls, methods) for cls in (type(copy), *_DATA_CLASSES_IN_PYTHON)):
            return operand._replace(student_objects=[value])
        for item in objects:
            cls = type(item)
            deciding_class = self.provenance.find_deciding_class(cls, methods)
            if self.provenance.find_student_class(cls, methods) is not None:
                operand.student_objects.append(item)
            elif deciding_class is None or deciding_class in _TYPE_EXPRESSION_CLASSES:
                continue
            elif self.provenance.is_trusted(deciding_class) and not self.provenance.is_trusted(cls):
                operand.student_objects.append(item)  # of a class that inherits the methods
            elif self.provenance.is_trusted(deciding_class):  # a class of the test itself is not
                operand.library_classes.add(self.provenance.get_class_name(deciding_class))
        return operand._replace(copy=copy)

    def _is_data_class(self, cls: type, methods: tuple[str, ...]) -> bool:
        """Return whether the methods of a class are those of a data type. The student's code may have changed such a type, too."""
        if self.provenance.find_student_class(cls, methods) is not None:
            return False
        deciding_class = self.provenance.find_deciding_class(cls, methods)
        return deciding_class is None or deciding_class.__module__.partition(".")[0] in _DATA_MODULES

    def _choose_copy(self, value: Any, operand: _Operand) -> Any:
        """Return what a method of the student's class may receive: an object of such a class as it is, and a copy of anything else."""
        return operand.copy if self.provenance.is_trusted(type(value)) else value

    def _is_searched_item_by_item(self, value: Any, operand: _Operand) -> bool:
        cls = type(value)
        return (
            operand.copy is value
            and self.provenance.find_deciding_class(cls, ("__contains__",)) is None
            and self.provenance.find_deciding_class(cls, ("__iter__",)) is not None
        )

    def _iterate_copies(self, value: Any, iterator: Iterator[Any]) -> Iterator[Any]:
        """Yield copies of the items of an iterator that may be compared with the value."""
        for item in iterator:
            operands = self.prepare("eq", item, value)
            if operands is not None:
                yield operands[0]

    def _allows(self, keys: set[str]) -> bool:
        self.used_operators |= keys
        return self.allowed_operators is None or keys <= self.allowed_operators

    def _allows_libraries(self, operator_name: str, left: _Operand, right: _Operand) -> bool:
        sides = (("left", left), ("right", right))
        return self._allows(
            {
                f"{operator_name} {side} {class_name} {self.statement_line}"
                for side, operand in sides
                for class_name in operand.library_classes
            }
        )

    def _find_false_claim(self, name: str, left: Any, right: Any, student_objects: list[Any]) -> list[Any]:
        """Return an object that makes a claim that cannot be true, if there is one."""
        for item in student_objects:
            if _claims_the_impossible(name, item):
                return [item]
        is_ordered = name in _ORDER_FUNCTIONS and any(item is left for item in student_objects)
        return [left] if is_ordered and _claims_opposites(name, left, right) else []


def _is_simple(value: Any, depth: int = 0) -> bool:
    """Return whether a value consists of Python's and NumPy's own data types, so that it need not be copied."""
    cls = type(value)
    if type(cls) is not type:  # a student's metaclass could decide what the class equals
        return False
    if cls in _SCALAR_TYPES:
        return True
    if cls in _CONTAINER_TYPES and depth < MAX_DEPTH:
        items = [*value, *value.values()] if cls is dict else value
        return all(_is_simple(item, depth + 1) for item in items)
    # Not by a name in `sys.modules`, which the student's code could replace.
    if not is_static(cls) or cls.__module__ != "numpy":
        return False
    return any(_name(base) in ("ndarray", "generic") for base in _mro(cls)) and not value.dtype.hasobject


def _claims_the_impossible(name: str, operand: Any) -> bool:
    """Return whether an object claims to equal or to contain a value that was just created, which an honest object cannot."""
    if name == "ne" and all(_evaluates_true(question, operand, operand) for question in (operator.ne, operator.eq)):
        return True
    number, text = secrets.randbits(62), secrets.token_hex(8)
    unique_values = (UniqueObject(), number, text, secrets.randbits(52) / 7, [text])
    questions = _QUESTIONS.get(name, ())
    return any(_evaluates_true(question, operand, value) for question in questions for value in unique_values)


def _claims_opposites(name: str, left: Any, right: Any) -> bool:
    """Return whether an object claims both an order and its opposite. It is asked in an unpredictable order."""
    questions = [_ORDER_FUNCTIONS[name], _ORDER_FUNCTIONS[OPPOSITE_OPERATORS[name]]]
    if secrets.randbits(1):
        questions.reverse()
    return all(_evaluates_true(question, left, right) for question in questions)


def _evaluates_true(operation: Callable[[Any, Any], Any], left: Any, right: Any) -> bool:
    try:
        return bool(operation(left, right))
    except Exception:  # noqa: BLE001 - a student's operator may raise anything
        return False


# What an object is asked about values that no honest object equals or contains, by the operator that a test applies to it.
_QUESTIONS: dict[str, tuple[Callable[[Any, Any], Any], ...]] = {
    **dict.fromkeys(("eq", "le", "ge"), (operator.eq,)),
    "ne": (lambda left, right: not left != right,),
    "contains": (operator.contains, operator.eq),
    "alike": (operator.eq, lambda left, right: sys.modules["numpy"].allclose(left, right)),
}
