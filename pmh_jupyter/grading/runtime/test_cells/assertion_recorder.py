"""Records what a test cell's assertions evaluate: how many ran, which one failed, the value it got and the value it expected."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Set
from types import SimpleNamespace
from typing import Any

from pmh_jupyter.grading.runtime.execution.text_clipping import format_value
from pmh_jupyter.grading.runtime.test_cells.assert_functions import (
    SWAPPED_SIGNS,
    format_type_names,
    make_assert_function,
)
from pmh_jupyter.grading.runtime.test_cells.assertion_sites import AssertionSite, SiteTable
from pmh_jupyter.grading.runtime.test_cells.comparator import Comparator
from pmh_jupyter.grading.runtime.test_cells.comparison_counts import ComparisonCounts

_callable, _isinstance, _bool, _getattr, _str, _len, _type = callable, isinstance, bool, getattr, str, len, type
_hasattr, _tuple, _Set = hasattr, tuple, Set
_AssertionError, _BaseException = AssertionError, BaseException

# By the operator's class name in `ast`: text before the expected value, function that evaluates it, name in `NotebookUsage.operators`.
_COMPARISONS: dict[str, tuple[str, Callable[[Any, Any], Any], str]] = {
    "Eq": ("", operator.eq, "eq"),
    "NotEq": ("!= ", operator.ne, "ne"),
    "Is": ("", operator.is_, ""),
    "IsNot": ("is not ", operator.is_not, ""),
    "Lt": ("< ", operator.lt, "lt"),
    "LtE": ("<= ", operator.le, "le"),
    "Gt": ("> ", operator.gt, "gt"),
    "GtE": (">= ", operator.ge, "ge"),
    "In": ("in ", lambda left, right: left in right, "contains"),
    "NotIn": ("not in ", lambda left, right: left not in right, "contains"),
}
_ARITHMETIC: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "Add": (operator.add, "add"),
    "Sub": (operator.sub, "sub"),
    "Mult": (operator.mul, "mul"),
    "MatMult": (operator.matmul, "matmul"),
    "Div": (operator.truediv, "truediv"),
    "FloorDiv": (operator.floordiv, "floordiv"),
    "Mod": (operator.mod, "mod"),
    "Pow": (operator.pow, "pow"),
    "LShift": (operator.lshift, "lshift"),
    "RShift": (operator.rshift, "rshift"),
    "BitOr": (operator.or_, "or"),
    "BitXor": (operator.xor, "xor"),
    "BitAnd": (operator.and_, "and"),
}
_IN_PLACE = {name: getattr(operator, f"i{name.rstrip('_')}") for _, name in _ARITHMETIC.values()}
_IDENTITY_OPERATORS = ("Is", "IsNot")
# The side of a comparison of sets that must not be empty: the empty set is a subset of every set.
_SUBSET_SIDES = {"LtE": 0, "Lt": 0, "GtE": 1, "Gt": 1}
_DISHONEST_RESULTS = {"NotEq": True, "NotIn": True}


class AssertionRecorder(SiteTable):
    """Records the assertions of one test cell. The rewritten source calls its methods by name (see `assertion_rewriter`).

    pinned: values by name that the test cell reads instead of those of the notebook.
    sites: sites registered earlier, by number. Those of test helpers have negative numbers.
    comparison_counts: counts what the assertions compare.
    find_original: returns the object that an operand of `is` stands for.

    `assertion_count` is the number of assertions that ran since `reset`. `failed_site` is the site of the last one that failed;
    `expression`, `expected` and `got` describe its values.
    """

    def __init__(
        self,
        comparator: Comparator,
        pinned: Mapping[str, Any] | None = None,
        sites: Mapping[int, AssertionSite] | None = None,
        comparison_counts: ComparisonCounts | None = None,
        find_original: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        super().__init__(sites, pinned)
        self.comparator = comparator
        self.comparison_counts = comparison_counts or ComparisonCounts()
        self._find_original = find_original
        self._recorded_calls: dict[int, tuple[str, tuple[Any, ...]]] = {}
        self.pinned_values = SimpleNamespace(**(pinned or {}))
        self.assertion_count = 0
        self.reset()

    def reset(self) -> None:
        """Start a new statement: discards the recorded values."""
        self.expression, self.expected, self.got = "", None, None
        self.failed_site: AssertionSite | None = None
        self.assertion_count = 0
        self._recorded_calls.clear()

    expected: str | None
    got: str | None

    # Methods that the rewritten source calls. They return a real bool where the source needs a truth value.

    def count_assertion(self) -> None:
        self.assertion_count += 1

    def count_and_return(self, value: Any) -> Any:
        self.assertion_count += 1
        return value

    def check_assertion(self, site_number: int, place: str, value: Any) -> bool:
        self.assertion_count += 1
        if place:
            self.comparison_counts.count(place)
        if value is True or self.comparator.is_true(value):
            return True
        self.failed_site = self.sites[site_number]
        return False

    def check_truth_without_values(self, site_number: int, value: Any) -> bool:
        return self.check_without_values(site_number, self.comparator.is_true(value))

    def check_without_values(self, site_number: int, value: bool) -> bool:
        """Record the failure of a condition that has no two values to show."""
        if not value:
            self.expression, self.expected, self.got = "", None, None
        return value

    def check_true(self, site_number: int, value: Any) -> bool:
        if self.comparator.is_true(value):
            return True
        name, arguments = self._recorded_calls.get(site_number, ("", ()))
        if name == "isinstance" and _len(arguments) == 2:
            self.record_values(site_number, f"an instance of {format_type_names(arguments[1])}", arguments[0])
        elif name and _len(arguments) >= 2:
            self.record_values(
                site_number, f"{'' if name == 'array_equal' else 'about '}{format_value(arguments[1])}", arguments[0]
            )
        else:
            self.record_untrue(site_number, value)
        return False

    def check_false(self, site_number: int, value: Any) -> bool:
        if not self.comparator.is_false(value):
            self.record_values(site_number, "False" if value is True else "a false value", value)
            return False
        return True

    def check_comparison(self, site_number: int, place: str, operator_class: str, left: Any, right: Any) -> bool:
        if place and operator_class in _SUBSET_SIDES and _isinstance(left, _Set):
            self.comparison_counts.count(f"{place}/set", min(1, _len((left, right)[_SUBSET_SIDES[operator_class]])))
        if self._does_comparison_hold(place, operator_class, left, right):
            return True
        site, sign = self.sites[site_number], _COMPARISONS[operator_class][0]
        if site.is_swapped:
            left, right, sign = right, left, SWAPPED_SIGNS.get(sign, sign)
        self.record_values(site_number, lambda: sign + format_value(right), left)
        return False

    def check_chain(self, site_number: int, place: str, operator_classes: tuple[str, ...], *operands: Any) -> bool:
        pairs = zip(operator_classes, operands, operands[1:], strict=False)
        return self.check_without_values(
            site_number,
            all(
                self._does_comparison_hold(place, operator_class, left, right) for operator_class, left, right in pairs
            ),
        )

    def record_distance(self, place: str, value: Any) -> Any:
        """Record whether the result of `abs` or `norm` is infinite, and return it."""
        self.comparison_counts.record_infinity(place, value)
        return value

    def evaluate_comparison(self, place: str, operator_class: str, left: Any, right: Any) -> Any:
        """Return the result of a comparison elsewhere in the cell; the failing one if an operand is dishonest (see `Comparator`)."""
        return self._apply_comparison(place, operator_class, left, right, _DISHONEST_RESULTS.get(operator_class, False))

    def evaluate_chain(
        self, place: str, operator_classes: tuple[str, ...], left: Any, right: Any, *others: Callable[[], Any]
    ) -> Any:
        """Return the result of a chain of comparisons elsewhere in the cell. others: functions that return its later operands."""
        result = self.evaluate_comparison(place, operator_classes[0], left, right)
        for operator_class, get_operand in zip(operator_classes[1:], others, strict=True):
            if not result:
                break
            left, right = right, get_operand()
            result = self.evaluate_comparison(place, operator_class, left, right)
        return result

    def evaluate_arithmetic(self, place: str, operator_class: str, left: Any, right: Any) -> Any:
        """Return the result of arithmetic. Raises AssertionError for a student's operator where the reference solution had plain data."""
        return self._compute(place, *_ARITHMETIC[operator_class], left, right)

    def evaluate_in_place(self, place: str, operator_class: str, left: Any, right: Any) -> Any:
        """Return the result of an assignment such as `left += right`. Raises AssertionError as `evaluate_arithmetic` does."""
        recorded_name = _ARITHMETIC[operator_class][1]
        return self._compute(place, _IN_PLACE[recorded_name], recorded_name, left, right)

    def _compute(
        self, place: str, compute: Callable[[Any, Any], Any], recorded_name: str, left: Any, right: Any
    ) -> Any:
        operands = self.comparator.prepare_arithmetic(recorded_name, left, right)
        if operands is None:
            raise _AssertionError
        result = compute(*operands)
        # The test may turn infinity into NaN, and then drop it with `max`.
        self.comparison_counts.record_nan(place, result)
        return result

    def count_items(self, place: str, values: Any) -> Any:
        """Return an iterator over the values that counts them. A value that cannot be iterated over is returned unchanged."""
        return self.comparison_counts.count_items(place, values) if _hasattr(_type(values), "__iter__") else values

    def count_rounds(self, place: str, values: Any) -> Any:
        """Return an iterator over the values that counts them. Their class is not inspected."""
        return self.comparison_counts.count_items(place, values)

    def count_elements(self, place: str, value: Any) -> Any:
        """Count the elements of an array, and return it."""
        self.comparison_counts.count_elements(place, value)
        return value

    def guard_callback(self, function: Any) -> Any:
        """Wrap a function that `map` or `filter` calls: a StopIteration from it would end them early, without an error."""
        if not _callable(function):
            return function

        def call(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except StopIteration as stop:
                raise RuntimeError("StopIteration was raised") from stop

        return call

    def record_call(self, site_number: int, place: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a function whose arguments explain its result (`isinstance`, `isclose`, …)."""
        name = _str(_getattr(function, "__name__", ""))

        def call(*arguments: Any, **keyword_arguments: Any) -> Any:
            self._recorded_calls[site_number] = name, arguments
            if name in ("isinstance", "issubclass") or _len(arguments) < 2:
                result = function(*arguments, **keyword_arguments)
                return result and (function is not _isinstance or self.comparator.is_instance(*arguments))
            operands = self.comparator.prepare("alike", *arguments[:2])
            if operands is None:
                return False
            self.count_compared(place, *operands)
            return function(*operands, *arguments[2:], **keyword_arguments)

        return call

    def wrap_assert_function(self, site_number: int, place: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a function that asserts by itself (`assert_allclose`, `assertEqual`, `raises`, …)."""
        assert_function = make_assert_function(self, site_number, place, _str(_getattr(function, "__name__", "")))

        def call(*arguments: Any, **keyword_arguments: Any) -> Any:
            self.assertion_count += 1
            self.failed_site = self.sites[site_number]
            result = function(*assert_function.prepare_call(arguments), **keyword_arguments)
            if result is None or not assert_function.returns_context:
                self.failed_site, self.expected, self.got = None, None, None
            return result

        return call

    def count_compared(self, place: str, *values: Any) -> None:
        """Count the elements of compared values, and record NaN among them."""
        if place:
            self.comparison_counts.count_elements(place, *values)
            self.comparison_counts.record_nan(place, *values)

    def find_originals(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the objects that operands of `is` stand for."""
        return _tuple(self._find_original(value) for value in values)

    def _does_comparison_hold(self, place: str, operator_class: str, left: Any, right: Any) -> bool:
        return self.comparator.is_true(self._apply_comparison(place, operator_class, left, right, False))

    def _apply_comparison(self, place: str, operator_class: str, left: Any, right: Any, dishonest_result: bool) -> Any:
        _, compare, recorded_name = _COMPARISONS[operator_class]
        if operator_class in _IDENTITY_OPERATORS:
            return compare(self._find_original(left), self._find_original(right))
        operands = self.comparator.prepare(recorded_name, left, right)
        if operands is None:
            return dishonest_result
        self.comparison_counts.record_nan(place, *operands)
        if operator_class in ("LtE", "GtE"):  # a tolerance may be relative to the answer
            self.comparison_counts.record_infinity(place, *operands)
        return compare(*operands)

    def record_untrue(self, site_number: int, value: Any) -> None:
        """Record the value of a failed assertion about its truth."""
        self.record_values(site_number, "True" if value is False else "a true value", value)

    def record_values(
        self, site_number: int, expected: str | Callable[[], str], value: Any, *, got: str | None = None
    ) -> None:
        """Record the values of a failed assertion, unless it is hidden."""
        expression = self.sites[site_number].expression
        if expression is not None:
            self.expected = expected() if _callable(expected) else expected
            self.expression, self.got = expression, format_value(value) if got is None else got
