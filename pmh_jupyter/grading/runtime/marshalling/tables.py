"""The values of pandas as forms and back: Series, DataFrame, the indexes, columns, times and dtypes.

Sending touches pandas only where it is loaded already; receiving imports it, by its own fixed name. Columns that are not
of a listed kind (Period, Interval, Arrow, sparse ones) make the whole object go by handle.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from pmh_jupyter.grading.runtime.marshalling import arrays
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
# Filled when pandas is loaded: what writes each type, which can be changed, and which are columns.
_WRITERS: dict[type, Writer] = {}
_COLUMN_WRITERS: dict[type, Writer] = {}
MUTABLE: set[type] = set()


def writer_for(kind: type) -> Writer | None:
    """What writes a value of this type, if it is one of pandas' that cross by value."""
    if not _WRITERS and not _load_types():
        return None
    return _WRITERS.get(kind)


def _load_types() -> bool:
    """Learn the types of pandas, if it is loaded (wholly: it may be in the middle of its import)."""
    pandas = sys.modules.get("pandas")
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
        }
    )
    # Where the default str is a class of its own (pandas 2).
    _COLUMN_WRITERS[type(pandas.array([""], dtype="str"))] = _write_strings
    _WRITERS.update(_COLUMN_WRITERS)
    indexes = (pandas.Index, pandas.DatetimeIndex, pandas.TimedeltaIndex, pandas.CategoricalIndex)
    _WRITERS.update(dict.fromkeys(indexes, _write_index))
    _WRITERS.update(
        {
            pandas.RangeIndex: _write_range,
            pandas.MultiIndex: _write_multi_index,
            pandas.Series: _write_series,
            pandas.DataFrame: _write_frame,
            pandas.Timestamp: _write_timestamp,
            pandas.Timedelta: _write_timedelta,
            type(pandas.NaT): lambda encoder, value: ["pN"],
            type(pandas.NA): lambda encoder, value: ["pA"],
            pandas.StringDtype: lambda encoder, value: ["pz", *_string_dtype_fields(value)],
            pandas.CategoricalDtype: _write_category_dtype,
            pandas.DatetimeTZDtype: lambda encoder, value: ["pu", value.unit, write_zone(value.tz)],
        }
    )
    for name in MASKED_DTYPES:
        _WRITERS[type(pandas.api.types.pandas_dtype(name))] = lambda encoder, value: ["pw", value.name]
    MUTABLE.update({pandas.Series, pandas.DataFrame})
    return True


def _column_writer(array: Any) -> Callable[[ValueEncoder], list[Any]]:
    """What writes this column. Raises `NotPlain` before anything is written."""
    pandas, numpy = sys.modules["pandas"], sys.modules["numpy"]
    if type(array) is pandas.arrays.NumpyExtensionArray:
        array = array.to_numpy()
    if type(array) is numpy.ndarray:
        if array.dtype.kind != "O":
            arrays.encode_dtype(array.dtype)
        return lambda encoder: arrays.write_array(encoder, array)
    column_writer = _COLUMN_WRITERS.get(type(array))
    if column_writer is None:
        raise NotByValue
    if column_writer is _write_datetimes:
        write_zone(array.tz)
    if column_writer is _write_categories:
        _index_writer(array.categories)
    return lambda encoder: column_writer(encoder, array)


def _index_writer(index: Any) -> Callable[[ValueEncoder], list[Any]]:
    """What writes this index. Raises `NotPlain` before anything is written."""
    column_writer = _WRITERS.get(type(index))
    if column_writer is _write_multi_index:
        for level in index.levels:
            _index_writer(level)
    elif column_writer is _write_index:
        _column_writer(index.array)
    elif column_writer is not _write_range:
        raise NotByValue
    return lambda encoder: column_writer(encoder, index)


def _write_series(encoder: ValueEncoder, value: Any) -> list[Any]:
    index, column = _index_writer(value.index), _column_writer(value.array)
    return ["ps", index(encoder), column(encoder), encoder.encode(value.name)]


def _write_frame(encoder: ValueEncoder, value: Any) -> list[Any]:
    index, names = _index_writer(value.index), _index_writer(value.columns)
    columns = [_column_writer(value.iloc[:, position].array) for position in range(value.shape[1])]
    return ["pf", index(encoder), names(encoder), [column(encoder) for column in columns]]


def _write_index(encoder: ValueEncoder, value: Any) -> list[Any]:
    return ["px", _column_writer(value.array)(encoder), encoder.encode(value.name), _frequency_name(value)]


def _write_range(encoder: ValueEncoder, value: Any) -> list[Any]:
    if len(value) > max_index_rows(encoder):
        raise NotByValue
    return ["pr", value.start, value.stop, value.step, encoder.encode(value.name)]


def _write_multi_index(encoder: ValueEncoder, value: Any) -> list[Any]:
    levels = [_index_writer(level) for level in value.levels]
    codes = [_column_writer(sys.modules["numpy"].asarray(part)) for part in value.codes]
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


def _frequency_name(value: Any) -> str | None:
    """The name of the step between an index's times, if it has one that pandas names itself."""
    frequency = getattr(value, "freq", None)
    is_named = frequency is not None and type(frequency).__module__.startswith("pandas.")
    return value.freqstr if is_named and FREQUENCY_PATTERN.fullmatch(value.freqstr) else None


def _write_masked(encoder: ValueEncoder, value: Any) -> list[Any]:
    mask = value.isna()
    data = value.to_numpy(dtype=value.dtype.numpy_dtype, na_value=value.dtype.numpy_dtype.type(0))
    return ["pM", value.dtype.name, arrays.write_array(encoder, data), arrays.write_array(encoder, mask)]


def _string_dtype_fields(dtype: Any) -> list[str]:
    missing = getattr(dtype, "na_value", None)
    return [dtype.storage, "nan" if isinstance(missing, float) else "NA"]


def _write_strings(encoder: ValueEncoder, value: Any) -> list[Any]:
    items = value.astype(object)
    items[value.isna()] = None
    return ["pS", *_string_dtype_fields(value.dtype), encoder.encode_items(items.tolist())]


def _write_categories(encoder: ValueEncoder, value: Any) -> list[Any]:
    codes = sys.modules["numpy"].asarray(value.codes)
    return ["pC", _index_writer(value.categories)(encoder), arrays.write_array(encoder, codes), value.ordered]


def _write_category_dtype(encoder: ValueEncoder, value: Any) -> list[Any]:
    categories = None if value.categories is None else _index_writer(value.categories)(encoder)
    return ["py", categories, value.ordered]


def _write_timestamp(encoder: ValueEncoder, value: Any) -> list[Any]:
    return ["pt", int(value.asm8.view("i8")), value.unit, write_zone(value.tz)]


def _write_timedelta(encoder: ValueEncoder, value: Any) -> list[Any]:
    return ["pd", int(value.asm8.view("i8")), value.unit]


def max_index_rows(coder: ValueEncoder | ValueDecoder) -> int:
    return 2 * coder.bounds.max_nodes


def refill(existing: Any, fresh: Any) -> bool:
    """Put the fresh table's content into the known one, if both are tables of one type; answers whether it did."""
    if type(existing) not in MUTABLE or type(existing) is not type(fresh):
        return False
    existing._update_inplace(fresh)
    if existing.ndim == 1:
        existing.name = fresh.name
    return True
