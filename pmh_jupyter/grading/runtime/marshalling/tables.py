"""Encodes the values of pandas: Series, DataFrame, indexes, columns, times and dtypes. `table_readers` decodes them.

Encoding uses pandas only if it is already loaded. A column of another kind (Arrow, or another library) is sent as a column of objects.
"""

from __future__ import annotations

import re
from abc import ABCMeta
from collections.abc import Callable
from typing import Any

from pmh_jupyter.grading.runtime.marshalling import arrays
from pmh_jupyter.grading.runtime.marshalling.loaded_libraries import get_loaded_numpy, get_loaded_pandas
from pmh_jupyter.grading.runtime.marshalling.scalars import NotByValue, write_zone
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import (
    ValueDecoder,
    ValueEncoder,
)

__builtins__ = BUILTINS

Writer = Callable[[ValueEncoder, Any], list[Any]]

FREQUENCY_PATTERN = re.compile(r"-?\d{0,6}[A-Za-z]{1,4}(-[A-Z]{3})?")
MASKED_DTYPES = frozenset(
    {"Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64", "boolean"}
)
# Filled when pandas is loaded: the writer of each type, the writers of column types, and the mutable types.
_WRITERS: dict[type, Writer] = {}
_COLUMN_WRITERS: dict[type, Writer] = {}
MUTABLE: set[type] = set()


def find_writer(cls: type) -> Writer | None:
    """Return the function that encodes values of this type, or None if it is not a pandas type that is encoded by value."""
    if not _WRITERS and not _load_types():
        return None
    metaclass = type(cls)  # indexes of dates are abstract base classes
    return _WRITERS.get(cls) if metaclass is type or metaclass is ABCMeta else None


def _load_types() -> bool:
    """Fill the tables if pandas is loaded completely (its import may be in progress). Returns whether it is."""
    pandas = get_loaded_pandas()
    if pandas is None or not hasattr(pandas, "arrays") or not hasattr(pandas, "test"):
        return False
    extension_arrays = pandas.arrays
    _COLUMN_WRITERS.update(
        {
            extension_arrays.DatetimeArray: _write_datetimes,
            extension_arrays.TimedeltaArray: _write_timedeltas,
            extension_arrays.IntegerArray: _write_masked,
            extension_arrays.FloatingArray: _write_masked,
            extension_arrays.BooleanArray: _write_masked,
            extension_arrays.StringArray: _write_strings,
            extension_arrays.ArrowStringArray: _write_strings,
            pandas.Categorical: _write_categories,
            extension_arrays.IntervalArray: _write_intervals,
            extension_arrays.PeriodArray: _write_periods,
            extension_arrays.SparseArray: _write_sparse,
        }
    )
    # The default string array is a separate class in pandas 2.
    _COLUMN_WRITERS[type(pandas.array([""], dtype="str"))] = _write_strings
    _WRITERS.update(_COLUMN_WRITERS)
    indexes = (
        *(pandas.Index, pandas.DatetimeIndex, pandas.TimedeltaIndex, pandas.CategoricalIndex),
        *(pandas.IntervalIndex, pandas.PeriodIndex),
    )
    _WRITERS.update(dict.fromkeys(indexes, _write_index))
    _WRITERS.update(
        {
            pandas.RangeIndex: _write_range,
            pandas.MultiIndex: _write_multi_index,
            pandas.Series: _write_series,
            pandas.DataFrame: _write_frame,
            pandas.Timestamp: _write_timestamp,
            pandas.Timedelta: lambda encoder, value: ["pd", int(value.asm8.view("i8")), value.unit],
            pandas.Interval: _write_interval,
            pandas.Period: lambda encoder, value: ["pp", value.freqstr, value.ordinal],
            type(pandas.NaT): lambda encoder, value: ["pN"],
            type(pandas.NA): lambda encoder, value: ["pA"],
            pandas.StringDtype: lambda encoder, value: ["pz", *_encode_string_dtype(value)],
            pandas.CategoricalDtype: _write_category_dtype,
            pandas.DatetimeTZDtype: lambda encoder, value: ["pu", value.unit, write_zone(value.tz)],
        }
    )
    for name in MASKED_DTYPES:
        _WRITERS[type(pandas.api.types.pandas_dtype(name))] = lambda encoder, value: ["pw", value.name]
    MUTABLE.update({pandas.Series, pandas.DataFrame})
    return True


def _choose_column_writer(array: Any) -> Callable[[ValueEncoder], list[Any]]:
    """Return the function that encodes this column. Raises `NotByValue` before anything is encoded."""
    pandas, numpy = get_loaded_pandas(), get_loaded_numpy()
    if type(array) is pandas.arrays.NumpyExtensionArray:
        array = array.to_numpy()
    if type(array) is numpy.ndarray:
        if array.dtype.kind != "O":
            arrays.encode_dtype(array.dtype)
        return lambda encoder: arrays.write_array(encoder, array)
    column_writer = _COLUMN_WRITERS.get(type(array))
    if column_writer is None:
        return lambda encoder: arrays.write_array(encoder, numpy.asarray(array, dtype=object))
    if column_writer is _write_intervals:
        _choose_index_writer(array.left)
    if column_writer is _write_datetimes:
        write_zone(array.tz)
    if column_writer is _write_categories:
        _choose_index_writer(array.categories)
    return lambda encoder: column_writer(encoder, array)


def _choose_index_writer(index: Any) -> Callable[[ValueEncoder], list[Any]]:
    """Return the function that encodes this index. Raises `NotByValue` before anything is encoded."""
    column_writer = _WRITERS.get(type(index))
    if column_writer is _write_multi_index:
        for level in index.levels:
            _choose_index_writer(level)
    elif column_writer is _write_index:
        _choose_column_writer(index.array)
    elif column_writer is not _write_range:
        raise NotByValue
    return lambda encoder: column_writer(encoder, index)


def _write_series(encoder: ValueEncoder, value: Any) -> list[Any]:
    index, column = _choose_index_writer(value.index), _choose_column_writer(value.array)
    return ["ps", index(encoder), column(encoder), encoder.encode(value.name)]


def _write_frame(encoder: ValueEncoder, value: Any) -> list[Any]:
    index, names = _choose_index_writer(value.index), _choose_index_writer(value.columns)
    columns = [_choose_column_writer(value.iloc[:, position].array) for position in range(value.shape[1])]
    return ["pf", index(encoder), names(encoder), [column(encoder) for column in columns]]


def _write_index(encoder: ValueEncoder, value: Any) -> list[Any]:
    return ["px", _choose_column_writer(value.array)(encoder), encoder.encode(value.name), _get_frequency_name(value)]


def _write_range(encoder: ValueEncoder, value: Any) -> list[Any]:
    if len(value) > compute_max_index_rows(encoder):
        raise NotByValue
    return ["pr", value.start, value.stop, value.step, encoder.encode(value.name)]


def _write_multi_index(encoder: ValueEncoder, value: Any) -> list[Any]:
    levels = [_choose_index_writer(level) for level in value.levels]
    codes = [_choose_column_writer(get_loaded_numpy().asarray(part)) for part in value.codes]
    return [
        "pm",
        [level(encoder) for level in levels],
        [part(encoder) for part in codes],
        encoder.encode_items(value.names),
    ]


def _write_datetimes(encoder: ValueEncoder, value: Any) -> list[Any]:
    return ["pT", value.unit, write_zone(value.tz), arrays.write_array(encoder, value.asi8)]


def _write_timedeltas(encoder: ValueEncoder, value: Any) -> list[Any]:
    return ["pG", value.unit, arrays.write_array(encoder, value.asi8)]


def _get_frequency_name(value: Any) -> str | None:
    """Return the frequency of a time index as text, if it is one that pandas itself defines."""
    frequency = getattr(value, "freq", None)
    is_named = frequency is not None and type(frequency).__module__.startswith("pandas.")
    return value.freqstr if is_named and FREQUENCY_PATTERN.fullmatch(value.freqstr) else None


def _write_masked(encoder: ValueEncoder, value: Any) -> list[Any]:
    mask = value.isna()
    data = value.to_numpy(dtype=value.dtype.numpy_dtype, na_value=value.dtype.numpy_dtype.type(0))
    return ["pM", value.dtype.name, arrays.write_array(encoder, data), arrays.write_array(encoder, mask)]


def _encode_string_dtype(dtype: Any) -> list[str]:
    missing = getattr(dtype, "na_value", None)
    return [dtype.storage, "nan" if isinstance(missing, float) else "NA"]


def _write_strings(encoder: ValueEncoder, value: Any) -> list[Any]:
    items = value.astype(object)
    items[value.isna()] = None
    return ["pS", *_encode_string_dtype(value.dtype), encoder.encode_items(items.tolist())]


def _write_categories(encoder: ValueEncoder, value: Any) -> list[Any]:
    codes = get_loaded_numpy().asarray(value.codes)
    return ["pC", _choose_index_writer(value.categories)(encoder), arrays.write_array(encoder, codes), value.ordered]


def _write_intervals(encoder: ValueEncoder, value: Any) -> list[Any]:
    return ["pI", _choose_index_writer(value.left)(encoder), _choose_index_writer(value.right)(encoder), value.closed]


def _write_interval(encoder: ValueEncoder, value: Any) -> list[Any]:
    return ["pi", encoder.encode(value.left), encoder.encode(value.right), value.closed]


def _write_periods(encoder: ValueEncoder, value: Any) -> list[Any]:
    return ["pP", value.freqstr, arrays.write_array(encoder, value.asi8)]


def _write_sparse(encoder: ValueEncoder, value: Any) -> list[Any]:
    return ["pX", arrays.write_array(encoder, value.to_dense()), encoder.encode(value.fill_value)]


def _write_category_dtype(encoder: ValueEncoder, value: Any) -> list[Any]:
    categories = None if value.categories is None else _choose_index_writer(value.categories)(encoder)
    return ["py", categories, value.ordered]


def _write_timestamp(encoder: ValueEncoder, value: Any) -> list[Any]:
    return ["pt", int(value.asm8.view("i8")), value.unit, write_zone(value.tz)]


def compute_max_index_rows(coder: ValueEncoder | ValueDecoder) -> int:
    """Return the maximum length of a range index, which takes no memory before it is used."""
    return 2 * coder.bounds.max_nodes


def refill(existing: Any, fresh: Any) -> bool:
    """Move the content of the fresh table into the existing one. Returns False if their types differ or are not tables."""
    if type(existing) not in MUTABLE or type(existing) is not type(fresh):
        return False
    existing._update_inplace(fresh)
    if existing.ndim == 1:
        existing.name = fresh.name
    return True
