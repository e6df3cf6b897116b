"""Counts what the assertions of a test cell compare, so that no assertion passes because it compared nothing.

`all(x > 0 for x in f())` is true if `f()` is empty, `np.allclose(f(), 3)` if it has no elements, and `not f() > 3` if it is NaN. For each
place of a test cell, the number of values that the reference solution had compared there is recorded. A submission must compare at least as
many; at least one where the items of an answer only have to meet a condition, because a right answer may be shorter there.

Places in branches and in loops that may end early are not counted, because a correct answer may compare fewer values there (see
`assertion_rewriter`).
"""

from __future__ import annotations

import math
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from pmh_jupyter.grading.runtime.test_cells.contract_entries import Use, format_entry, is_open_place, parse_entry
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

_float, _complex, _type, _len, _min = float, complex, type, len, min
# Plain strings: in-process, the student's code could change what an enum does.
_COMPARE, _COMPARE_NAN = Use.COMPARE.value, Use.COMPARE_NAN.value
MAX_DEPTH = 5  # of containers that are searched for values that are not numbers
_SIZED_TYPES = (list, tuple, dict, set, frozenset, deque, Counter, OrderedDict, defaultdict)
_DICT_TYPES = (dict, Counter, OrderedDict, defaultdict)
_TYPES_WITHOUT_NAN = frozenset({int, str, bool, bytes, type(None)})


class Shortfall(NamedTuple):
    """Why a statement has not compared enough: the reason of its test result, and how many values it compared and should compare."""

    reason: TestReason
    got: str | None = None
    expected: str | None = None


class ComparisonCounts:
    """The counts of one test cell, statement by statement.

    entries: those recorded with the reference solution; None while they are recorded, so that nothing falls short.
    `recorded_entries` are those of the statements so far (`Use.COMPARE` and `Use.COMPARE_NAN`).
    """

    def __init__(self, entries: Iterable[str] | None = None) -> None:
        self.recorded_entries: list[str] = []
        self._is_recording = entries is None
        self._expected: dict[str, dict[str, int]] = {}
        self._places_with_nan: set[tuple[str, str]] = set()
        for entry in entries or ():
            place, use, details = parse_entry(entry)
            if use == _COMPARE:
                self._expected.setdefault(details[0], {})[place] = int(details[1])
            elif use == _COMPARE_NAN:
                self._places_with_nan.add((details[0], place))
        self._position = ""
        self._counts: dict[str, int] = {}
        self._nan_places: set[str] = set()

    def begin_statement(self, position: str) -> None:
        """Start a statement, or the same one again."""
        if position == self._position:
            self._counts, self._nan_places = {}, set()
        self.end_statement()
        self._position = position

    def end_statement(self) -> None:
        """Add the counts of the statement to the recorded entries."""
        self.recorded_entries += [
            format_entry(place, _COMPARE, self._position, f"{_min((1, count)) if is_open_place(place) else count}")
            for place, count in self._counts.items()
        ]
        self.recorded_entries += [format_entry(place, _COMPARE_NAN, self._position) for place in self._nan_places]
        self._counts, self._nan_places = {}, set()

    def count(self, place: str, amount: int = 1) -> None:
        """Count values that were compared at this place."""
        self._counts[place] = self._counts.get(place, 0) + amount

    def count_items(self, place: str, values: Any) -> Any:
        """Return an iterator over the values that counts them."""
        self.count(place, 0)
        return self._iterate(place, values)

    def _iterate(self, place: str, values: Any) -> Iterator[Any]:
        for value in values:
            self._counts[place] += 1
            yield value

    def count_elements(self, place: str, *values: Any) -> None:
        """Count a comparison of arrays or containers element by element, unless one of them is empty.

        Their sizes do not count: a plot with fewer points may be correct, too.
        """
        self.count(place, _min((1, *map(_measure, values))))

    def record_nan(self, place: str, *values: Any) -> None:
        """Record whether one of the values that are compared here is not a number."""
        for value in values:
            if is_nan(value):
                self._nan_places.add(place)

    def record_infinity(self, place: str, *values: Any) -> None:
        """Record whether a distance, or both a distance and its limit, are infinite: it is within every relative tolerance."""
        if all(map(_is_infinite, values)):
            self._nan_places.add(place)

    def find_shortfall(self) -> Shortfall | None:
        """Return why the statement has not compared enough values; None if it has."""
        if self._is_recording:
            return None
        expected = self._expected.get(self._position, {})
        for place, count in expected.items():
            if self._counts.get(place, 0) < count:
                return Shortfall(TestReason.TOO_FEW_VALUES, str(self._counts.get(place, 0)), str(count))
        if any((self._position, place) not in self._places_with_nan for place in self._nan_places):
            return Shortfall(TestReason.NOT_A_NUMBER)
        return None


def _measure(value: Any) -> int:
    """Return the number of elements of an array, a table or a container; 1 for any other value."""
    cls = _type(value)
    if _type(cls) is not _type:  # a student's metaclass could decide what the class equals
        return 1
    if cls in _SIZED_TYPES:
        return _len(value)
    return int(value.size) if cls in _list_array_types() else 1


def is_nan(value: Any) -> bool:
    """Return whether a value is not a number (NaN, NaT, NA), a container or an array with one, or a table with a column of only these."""
    return _contains_nan(value, MAX_DEPTH)


def _is_infinite(value: Any) -> bool:
    if _type(value) in (_float, Decimal):
        return value in (math.inf, -math.inf)
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.floating) and bool(numpy.isinf(value))


def _contains_nan(value: Any, depth: int) -> bool:
    cls = _type(value)
    if cls is _float or cls is _complex:
        return bool(value != value)
    if _type(cls) is _type and cls in _SIZED_TYPES:
        items = (*value, *value.values()) if cls in _DICT_TYPES else value
        return depth > 0 and any(
            _contains_nan(item, depth - 1) for item in items if _type(item) not in _TYPES_WITHOUT_NAN
        )
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and (cls is numpy.ndarray or isinstance(value, numpy.generic)):
        return _contains_nan_array(value, numpy, depth)
    if pandas is None:
        return False
    if cls is pandas.DataFrame:  # a further column may have gaps
        return bool(len(value)) and bool(value.isna().all().any())
    if cls in (pandas.Series, pandas.Index) or _is_pandas_array(value):
        return bool(value.isna().any())
    return value is pandas.NaT or value is pandas.NA


def _contains_nan_array(array: Any, numpy: Any, depth: int) -> bool:
    if array.dtype.kind in "fc":
        return bool(numpy.isnan(array).any())
    if array.dtype.names:
        return any(_contains_nan_array(array[name], numpy, depth) for name in array.dtype.names)
    if array.dtype.kind == "O":
        return depth > 0 and any(_contains_nan(item, depth - 1) for item in array.flat)
    return array.dtype.kind in "mM" and bool(numpy.isnat(array).any())


def is_empty(value: Any) -> bool:
    """Return whether a value is a container, a string, an array or a table without elements, or a tuple with such an array or table."""
    return (_type(value) in (*_SIZED_TYPES, range, str, bytes) and not value) or is_empty_array(value)


def is_empty_array(value: Any) -> bool:
    """Return whether a value is an array or a table without elements, or a tuple with one."""
    return any(
        (_type(item) in _list_array_types() and item.size == 0) or (_is_pandas_array(item) and _len(item) == 0)
        for item in (value if _type(value) is tuple else (value,))
    )


def _is_pandas_array(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.api.extensions.ExtensionArray)


def _list_array_types() -> tuple[type, ...]:
    """Return the types of arrays and tables, of the libraries that are loaded."""
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    types = () if numpy is None else (numpy.ndarray,)
    return types if pandas is None else (*types, pandas.DataFrame, pandas.Series, pandas.Index, pandas.RangeIndex)
