"""Functions that assert by themselves (`assert_allclose`, `assertEqual`, `raises`, …), by the kind of their arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pmh_jupyter.grading.runtime.execution.text_clipping import format_value
from pmh_jupyter.grading.runtime.test_cells.assertion_sites import AssertionSite
from pmh_jupyter.grading.runtime.test_cells.comparator import Comparator

_getattr, _str, _len, _type, _AssertionError = getattr, str, len, type, AssertionError

SWAPPED_SIGNS = {
    "< ": "> ",
    "<= ": ">= ",
    "> ": "< ",
    ">= ": "<= ",
    "in ": "to contain ",
    "not in ": "not to contain ",
}
# Text before the expected value, for functions that assert something other than equality.
_ASSERT_FUNCTION_SIGNS = {
    "assertin": "in ",
    "assertnotin": "not in ",
    "assertless": "< ",
    "assertlessequal": "<= ",
    "assertgreater": "> ",
    "assertgreaterequal": ">= ",
    "assertarrayless": "< ",
    "assertnotequal": "!= ",
    "assertnotalmostequal": "not about ",
    "assertalmostequal": "about ",
}
_COMPARING_FUNCTION_WORDS = ("equal", "close", "less", "greater", "assertin", "assertnotin", "assertcount")


class CallRecorder(Protocol):
    """The methods of `AssertionRecorder` that a call uses."""

    comparator: Comparator
    sites: dict[int, AssertionSite]

    def count_compared(self, place: str, *values: Any) -> None: ...
    def find_originals(self, values: tuple[Any, ...]) -> tuple[Any, ...]: ...
    def record_untrue(self, site_number: int, value: Any) -> None: ...
    def record_values(
        self, site_number: int, expected: str | Callable[[], str], value: Any, *, got: str | None = None
    ) -> None: ...


class _AssertFunction:
    """A function that asserts by itself, at one site. Subclasses are for those whose arguments decide about the result or explain it."""

    # Whether it returns a context manager, so that its assertion ends later.
    returns_context = False

    def __init__(self, recorder: CallRecorder, site_number: int, place: str, name: str) -> None:
        self.recorder, self.site_number, self.place, self.name = recorder, site_number, place, name

    def prepare_call(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """Record the expected value, and return the arguments for the function. Raises AssertionError for dishonest arguments."""
        self.recorder.count_compared(self.place)
        return arguments


class _RaisesFunction(_AssertFunction):
    returns_context = True

    def prepare_call(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        expected = format_type_names(arguments[0]) if arguments else "an error"
        self.recorder.record_values(self.site_number, expected, None, got="no error")
        self.recorder.count_compared(self.place)
        return arguments


class _TruthFunction(_AssertFunction):
    def prepare_call(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        if arguments and not self.recorder.comparator.is_true(arguments[0]):
            self.recorder.record_untrue(self.site_number, arguments[0])
            raise _AssertionError
        self.recorder.count_compared(self.place)
        return arguments


class _InstanceFunction(_AssertFunction):
    def prepare_call(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        self.recorder.count_compared(self.place)
        if not self.recorder.comparator.is_instance(*arguments[:2]):
            raise _AssertionError
        return arguments


class _IdentityFunction(_AssertFunction):
    def prepare_call(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        self.recorder.count_compared(self.place)
        return self.recorder.find_originals(arguments)


class _PairFunction(_AssertFunction):
    """A function that compares its first two arguments."""

    def prepare_call(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        if _len(arguments) < 2:
            self.recorder.count_compared(self.place)
            return arguments
        self._record_expected(*arguments[:2])
        is_search = self.name in ("assertIn", "assertNotIn")
        if self.name == "assertCountEqual":  # it reads iterators
            arguments = *map(list, arguments[:2]), *arguments[2:]
        operands = self.recorder.comparator.prepare("contains" if is_search else "alike", *arguments[:2])
        if operands is None:
            raise _AssertionError
        # A function of unittest compares whole containers. One of NumPy compares element by element.
        self.recorder.count_compared(self.place, *(operands if self.name.startswith("assert_") else ()))
        return *operands, *arguments[2:]

    def _record_expected(self, got: Any, expected: Any) -> None:
        sign = _ASSERT_FUNCTION_SIGNS.get(_normalize_name(self.name), "")
        if self.recorder.sites[self.site_number].is_swapped:
            got, expected, sign = expected, got, SWAPPED_SIGNS.get(sign, sign)
        self.recorder.record_values(self.site_number, lambda: sign + format_value(expected), got)


# Functions that compare a pair are recognized by a part of their name instead.
_ASSERT_FUNCTIONS: dict[str, type[_AssertFunction]] = {
    "raises": _RaisesFunction,
    "assertRaises": _RaisesFunction,
    "assertRaisesRegex": _RaisesFunction,
    "assertTrue": _TruthFunction,
    "assert_": _TruthFunction,
    "assertIsInstance": _InstanceFunction,
    "assertIs": _IdentityFunction,
    "assertIsNot": _IdentityFunction,
}


def make_assert_function(recorder: CallRecorder, site_number: int, place: str, name: str) -> _AssertFunction:
    """Return how to call the function of this name."""
    normalized_name = _normalize_name(name)
    compares_pair = any(word in normalized_name for word in _COMPARING_FUNCTION_WORDS)
    kind = _PairFunction if compares_pair else _ASSERT_FUNCTIONS.get(name, _AssertFunction)
    return kind(recorder, site_number, place, name)


def _normalize_name(name: str) -> str:
    return name.lower().replace("_", "")


def format_type_names(class_or_tuple: Any) -> str:
    """Return the names of classes for the student, as in "int or float"."""
    classes = class_or_tuple if _type(class_or_tuple) is tuple else (class_or_tuple,)
    return " or ".join(_str(_getattr(cls, "__name__", cls)) for cls in classes)
