"""The values of pandas as forms and back: Series, DataFrame, the indexes, columns, times and dtypes.

Sending touches pandas only where it is loaded already; receiving imports it, by its own fixed name. Columns that are not
of a listed kind (Period, Interval, Arrow, sparse ones) make the whole object go by handle.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pmh_jupyter.grading.runtime.marshalling import arrays
from pmh_jupyter.grading.runtime.marshalling.scalars import NotByValue, read_zone, write_zone
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError, require_fields, require_type

__builtins__ = BUILTINS

if TYPE_CHECKING:
    from pmh_jupyter.grading.runtime.marshalling.codec import Decoder, Encoder

Writer = Callable[["Encoder", Any], list[Any]]

_UNITS = ("s", "ms", "us", "ns")
_FREQUENCY_PATTERN = re.compile(r"-?\d{0,6}[A-Za-z]{1,4}(-[A-Z]{3})?")
_MASKED_DTYPES = frozenset(
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
    for name in _MASKED_DTYPES:
        _WRITERS[type(pandas.api.types.pandas_dtype(name))] = lambda encoder, value: ["pw", value.name]
    MUTABLE.update({pandas.Series, pandas.DataFrame})
    return True


def _column_writer(array: Any) -> Callable[[Encoder], list[Any]]:
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


def _index_writer(index: Any) -> Callable[[Encoder], list[Any]]:
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


def _write_series(encoder: Encoder, value: Any) -> list[Any]:
    index, column = _index_writer(value.index), _column_writer(value.array)
    return ["ps", index(encoder), column(encoder), encoder.encode(value.name)]


def _write_frame(encoder: Encoder, value: Any) -> list[Any]:
    index, names = _index_writer(value.index), _index_writer(value.columns)
    columns = [_column_writer(value.iloc[:, position].array) for position in range(value.shape[1])]
    return ["pf", index(encoder), names(encoder), [column(encoder) for column in columns]]


def _write_index(encoder: Encoder, value: Any) -> list[Any]:
    return ["px", _column_writer(value.array)(encoder), encoder.encode(value.name), _frequency_name(value)]


def _write_range(encoder: Encoder, value: Any) -> list[Any]:
    if len(value) > _max_rows(encoder):
        raise NotByValue
    return ["pr", value.start, value.stop, value.step, encoder.encode(value.name)]


def _write_multi_index(encoder: Encoder, value: Any) -> list[Any]:
    levels = [_index_writer(level) for level in value.levels]
    codes = [_column_writer(sys.modules["numpy"].asarray(part)) for part in value.codes]
    return [
        "pm",
        [level(encoder) for level in levels],
        [part(encoder) for part in codes],
        encoder.encode_items(value.names),
    ]


def _write_datetimes(encoder: Encoder, value: Any) -> list[Any]:
    return ["pT", value.unit, write_zone(value.tz), arrays.write_array(encoder, value.asi8)]


def _write_timedeltas(encoder: Encoder, value: Any) -> list[Any]:
    return ["pG", value.unit, arrays.write_array(encoder, value.asi8)]


def _frequency_name(value: Any) -> str | None:
    """The name of the step between an index's times, if it has one that pandas names itself."""
    frequency = getattr(value, "freq", None)
    is_named = frequency is not None and type(frequency).__module__.startswith("pandas.")
    return value.freqstr if is_named and _FREQUENCY_PATTERN.fullmatch(value.freqstr) else None


def _write_masked(encoder: Encoder, value: Any) -> list[Any]:
    mask = value.isna()
    data = value.to_numpy(dtype=value.dtype.numpy_dtype, na_value=value.dtype.numpy_dtype.type(0))
    return ["pM", value.dtype.name, arrays.write_array(encoder, data), arrays.write_array(encoder, mask)]


def _string_dtype_fields(dtype: Any) -> list[str]:
    missing = getattr(dtype, "na_value", None)
    return [dtype.storage, "nan" if isinstance(missing, float) else "NA"]


def _write_strings(encoder: Encoder, value: Any) -> list[Any]:
    items = value.astype(object)
    items[value.isna()] = None
    return ["pS", *_string_dtype_fields(value.dtype), encoder.encode_items(items.tolist())]


def _write_categories(encoder: Encoder, value: Any) -> list[Any]:
    codes = sys.modules["numpy"].asarray(value.codes)
    return ["pC", _index_writer(value.categories)(encoder), arrays.write_array(encoder, codes), value.ordered]


def _write_category_dtype(encoder: Encoder, value: Any) -> list[Any]:
    categories = None if value.categories is None else _index_writer(value.categories)(encoder)
    return ["py", categories, value.ordered]


def _write_timestamp(encoder: Encoder, value: Any) -> list[Any]:
    return ["pt", int(value.asm8.view("i8")), value.unit, write_zone(value.tz)]


def _write_timedelta(encoder: Encoder, value: Any) -> list[Any]:
    return ["pd", int(value.asm8.view("i8")), value.unit]


def _max_rows(coder: Encoder | Decoder) -> int:
    return 2 * coder.bounds.max_nodes


def import_pandas() -> Any:
    """pandas, imported if need be."""
    try:
        return importlib.import_module("pandas")
    except ImportError:
        raise WireFormatError("A table came, and pandas is not installed here.") from None


def _read_column(decoder: Decoder, encoded: Any) -> Any:
    """A column: a flat array of NumPy's, or one of the listed kinds of pandas'."""
    _require_tag(encoded, "a", "ao", *_COLUMN_TAGS)
    value = decoder.decode(encoded)
    if value.ndim != 1:
        raise WireFormatError("A column is not flat.")
    return value


def _require_tag(encoded: Any, *tags: str) -> None:
    if type(encoded) is not list or not encoded or encoded[0] not in tags:
        raise WireFormatError("A table holds something else where a column or an index must be.")


def _read_index(decoder: Decoder, encoded: Any) -> Any:
    _require_tag(encoded, "px", "pr", "pm")
    return decoder.decode(encoded)


def _read_numbers(decoder: Decoder, encoded: Any, dtype_name: str) -> Any:
    value = _read_column(decoder, encoded)
    if str(value.dtype) != dtype_name:
        raise WireFormatError("A column has another dtype than it must.")
    return value


def _read_series(decoder: Decoder, encoded: list[Any]) -> Any:
    index, column, name = require_fields(encoded, 3)
    rows, values = _read_index(decoder, index), _read_column(decoder, column)
    return import_pandas().Series(values, index=rows, dtype=values.dtype, name=decoder.decode(name), copy=False)


def _read_frame(decoder: Decoder, encoded: list[Any]) -> Any:
    index, names, columns = require_fields(encoded, 3)
    pandas, rows, column_index = import_pandas(), _read_index(decoder, index), _read_index(decoder, names)
    values = [_read_column(decoder, column) for column in require_type(columns, list)]
    series = [pandas.Series(value, index=rows, dtype=value.dtype, copy=False) for value in values]
    if len(column_index) != len(series):
        raise WireFormatError("A table has more columns than names, or fewer.")
    frame = pandas.DataFrame(dict(enumerate(series)), index=rows)
    frame.columns = column_index
    return frame


def _read_plain_index(decoder: Decoder, encoded: list[Any]) -> Any:
    column, name, frequency = require_fields(encoded, 3)
    values = _read_column(decoder, column)
    index = import_pandas().Index(values, dtype=values.dtype, name=decoder.decode(name))
    if frequency is not None:
        if not _FREQUENCY_PATTERN.fullmatch(require_type(frequency, str)) or not hasattr(index, "freq"):
            raise WireFormatError("A step of times is malformed.")
        index.freq = frequency
    return index


def _read_range(decoder: Decoder, encoded: list[Any]) -> Any:
    start, stop, step, name = require_fields(encoded, 4)
    rows = range(require_type(start, int), require_type(stop, int), require_type(step, int))
    if len(rows) > _max_rows(decoder):
        raise WireFormatError("An index is too long.")
    return import_pandas().RangeIndex(rows, name=decoder.decode(name))


def _read_multi_index(decoder: Decoder, encoded: list[Any]) -> Any:
    levels, codes, names = require_fields(encoded, 3)
    return import_pandas().MultiIndex(
        levels=[_read_index(decoder, level) for level in require_type(levels, list)],
        codes=[_read_column(decoder, part) for part in require_type(codes, list)],
        names=decoder.decode_items(names),
    )


def _read_times(decoder: Decoder, encoded: list[Any]) -> Any:
    unit, encoded_zone, numbers = require_fields(encoded, 3)
    time_zone = read_zone(encoded_zone, decoder.bounds)
    index = import_pandas().DatetimeIndex(_read_numbers(decoder, numbers, "int64").view(f"M8[{_validate_unit(unit)}]"))
    if time_zone is not None:
        index = index.tz_localize("UTC").tz_convert(time_zone)
    return index.array


def _read_spans(decoder: Decoder, encoded: list[Any]) -> Any:
    unit, numbers = require_fields(encoded, 2)
    index = import_pandas().TimedeltaIndex(_read_numbers(decoder, numbers, "int64").view(f"m8[{_validate_unit(unit)}]"))
    return index.array


def _validate_unit(unit: Any) -> str:
    if unit not in _UNITS:
        raise WireFormatError("A time has an unknown unit.")
    return str(unit)


def _read_masked(decoder: Decoder, encoded: list[Any]) -> Any:
    name, data, mask = require_fields(encoded, 3)
    dtype = _find_masked_dtype(name)
    values = _read_numbers(decoder, data, str(dtype.numpy_dtype))
    return dtype.construct_array_type()(values, _read_numbers(decoder, mask, "bool"))


def _find_masked_dtype(name: Any) -> Any:
    if name not in _MASKED_DTYPES:
        raise WireFormatError("A dtype is unknown.")
    return import_pandas().api.types.pandas_dtype(name)


def _make_string_dtype(storage: Any, missing: Any) -> Any:
    if storage not in ("python", "pyarrow") or missing not in ("nan", "NA"):
        raise WireFormatError("A dtype is unknown.")
    pandas = import_pandas()
    return pandas.StringDtype(storage, na_value=float("nan")) if missing == "nan" else pandas.StringDtype(storage)


def _read_strings(decoder: Decoder, encoded: list[Any]) -> Any:
    storage, missing, items = require_fields(encoded, 3)
    values = decoder.decode_items(items)
    for value in values:
        require_type(value, str, type(None))
    return import_pandas().array(values, dtype=_make_string_dtype(storage, missing))


def _read_categories(decoder: Decoder, encoded: list[Any]) -> Any:
    categories, codes, ordered = require_fields(encoded, 3)
    names, code_values = _read_index(decoder, categories), _read_column(decoder, codes)
    return import_pandas().Categorical.from_codes(code_values, categories=names, ordered=require_type(ordered, bool))


def _read_category_dtype(decoder: Decoder, encoded: list[Any]) -> Any:
    categories, ordered = require_fields(encoded, 2)
    names = None if categories is None else _read_index(decoder, categories)
    return import_pandas().CategoricalDtype(names, ordered=require_type(ordered, bool, type(None)))


def _read_time(decoder: Decoder, encoded: list[Any]) -> Any:
    number, unit, encoded_zone = require_fields(encoded, 3)
    time_zone = read_zone(encoded_zone, decoder.bounds)
    value = import_pandas().Timestamp(arrays.import_numpy().datetime64(require_type(number, int), _validate_unit(unit)))
    return value if time_zone is None else value.tz_localize("UTC").tz_convert(time_zone)


def _read_span(decoder: Decoder, encoded: list[Any]) -> Any:
    number, unit = require_fields(encoded, 2)
    return import_pandas().Timedelta(arrays.import_numpy().timedelta64(require_type(number, int), _validate_unit(unit)))


def _read_zoned_dtype(decoder: Decoder, encoded: list[Any]) -> Any:
    unit, encoded_zone = require_fields(encoded, 2)
    return import_pandas().DatetimeTZDtype(_validate_unit(unit), read_zone(encoded_zone, decoder.bounds))


_COLUMN_TAGS = ("pT", "pG", "pM", "pS", "pC")
_READERS: dict[str, Callable[[Decoder, list[Any]], Any]] = {
    "ps": _read_series,
    "pf": _read_frame,
    "px": _read_plain_index,
    "pr": _read_range,
    "pm": _read_multi_index,
    "pT": _read_times,
    "pG": _read_spans,
    "pM": _read_masked,
    "pS": _read_strings,
    "pC": _read_categories,
    "pt": _read_time,
    "pd": _read_span,
    "pN": lambda decoder, encoded: import_pandas().NaT,
    "pA": lambda decoder, encoded: import_pandas().NA,
    "pz": lambda decoder, encoded: _make_string_dtype(*require_fields(encoded, 2)),
    "py": _read_category_dtype,
    "pw": lambda decoder, encoded: _find_masked_dtype(*require_fields(encoded, 1)),
    "pu": _read_zoned_dtype,
}
TAGS = frozenset(_READERS)


def reader_for(tag: str) -> Callable[[Decoder, list[Any]], Any] | None:
    """What reads a form of this tag, if it is one of this file's."""
    return _READERS.get(tag)


def refill(existing: Any, fresh: Any) -> bool:
    """Put the fresh table's content into the known one, if both are tables of one type; answers whether it did."""
    if type(existing) not in MUTABLE or type(existing) is not type(fresh):
        return False
    existing._update_inplace(fresh)
    if existing.ndim == 1:
        existing.name = fresh.name
    return True
