"""Decodes the values of pandas that `tables` encodes. Imports pandas, by its fixed name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pmh_jupyter.grading.runtime.marshalling.loaded_libraries import import_numpy, import_pandas
from pmh_jupyter.grading.runtime.marshalling.scalars import read_zone
from pmh_jupyter.grading.runtime.marshalling.tables import FREQUENCY_PATTERN, MASKED_DTYPES, compute_max_index_rows
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import (
    ValueDecoder,
    WireFormatError,
    require_fields,
    require_type,
)

__builtins__ = BUILTINS

_UNITS = ("s", "ms", "us", "ns")


def _read_column(decoder: ValueDecoder, encoded: Any) -> Any:
    """Decode a column: a one-dimensional NumPy array or one of the listed pandas arrays."""
    _require_tag(encoded, "a", "ao", *_COLUMN_TAGS)
    value = decoder.decode(encoded)
    if value.ndim != 1:
        raise WireFormatError("A column is not one-dimensional.")
    return value


def _require_tag(encoded: Any, *tags: str) -> None:
    if type(encoded) is not list or not encoded or encoded[0] not in tags:
        raise WireFormatError("A table has no column or index where one is required.")


def _read_index(decoder: ValueDecoder, encoded: Any) -> Any:
    _require_tag(encoded, "px", "pr", "pm")
    return decoder.decode(encoded)


def _read_numbers(decoder: ValueDecoder, encoded: Any, dtype_name: str) -> Any:
    value = _read_column(decoder, encoded)
    if str(value.dtype) != dtype_name:
        raise WireFormatError("A column has the wrong dtype.")
    return value


def _read_series(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    index, column, name = require_fields(encoded, 3)
    rows, values = _read_index(decoder, index), _read_column(decoder, column)
    return import_pandas().Series(values, index=rows, dtype=values.dtype, name=decoder.decode(name), copy=False)


def _read_frame(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    index, names, columns = require_fields(encoded, 3)
    pandas, rows, column_index = import_pandas(), _read_index(decoder, index), _read_index(decoder, names)
    values = [_read_column(decoder, column) for column in require_type(columns, list)]
    series = [pandas.Series(value, index=rows, dtype=value.dtype, copy=False) for value in values]
    if len(column_index) != len(series):
        raise WireFormatError("A table has a different number of columns and names.")
    frame = pandas.DataFrame(dict(enumerate(series)), index=rows)
    frame.columns = column_index
    return frame


def _read_plain_index(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    column, name, frequency = require_fields(encoded, 3)
    values = _read_column(decoder, column)
    index = import_pandas().Index(values, dtype=values.dtype, name=decoder.decode(name))
    if frequency is not None:
        name = _validate_frequency(frequency)
        if not hasattr(index, "freq"):
            raise WireFormatError("A frequency is malformed.")
        if str(getattr(index, "freqstr", "")) != name:  # a PeriodIndex has its frequency already
            index.freq = name
    return index


def _read_range(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    start, stop, step, name = require_fields(encoded, 4)
    rows = range(require_type(start, int), require_type(stop, int), require_type(step, int))
    if len(rows) > compute_max_index_rows(decoder):
        raise WireFormatError("An index is too long.")
    return import_pandas().RangeIndex(rows, name=decoder.decode(name))


def _read_multi_index(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    levels, codes, names = require_fields(encoded, 3)
    return import_pandas().MultiIndex(
        levels=[_read_index(decoder, level) for level in require_type(levels, list)],
        codes=[_read_column(decoder, part) for part in require_type(codes, list)],
        names=decoder.decode_items(names),
    )


def _read_times(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    unit, encoded_zone, numbers = require_fields(encoded, 3)
    time_zone = read_zone(encoded_zone, decoder.bounds)
    index = import_pandas().DatetimeIndex(_read_numbers(decoder, numbers, "int64").view(f"M8[{_validate_unit(unit)}]"))
    if time_zone is not None:
        index = index.tz_localize("UTC").tz_convert(time_zone)
    return index.array


def _read_spans(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    unit, numbers = require_fields(encoded, 2)
    index = import_pandas().TimedeltaIndex(_read_numbers(decoder, numbers, "int64").view(f"m8[{_validate_unit(unit)}]"))
    return index.array


def _validate_unit(unit: Any) -> str:
    if unit not in _UNITS:
        raise WireFormatError("A time has an unknown unit.")
    return str(unit)


def _read_masked(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    name, data, mask = require_fields(encoded, 3)
    dtype = _find_masked_dtype(name)
    values = _read_numbers(decoder, data, str(dtype.numpy_dtype))
    return dtype.construct_array_type()(values, _read_numbers(decoder, mask, "bool"))


def _find_masked_dtype(name: Any) -> Any:
    if name not in MASKED_DTYPES:
        raise WireFormatError("A dtype is unknown.")
    return import_pandas().api.types.pandas_dtype(name)


def _make_string_dtype(storage: Any, missing: Any) -> Any:
    if storage not in ("python", "pyarrow") or missing not in ("nan", "NA"):
        raise WireFormatError("A dtype is unknown.")
    pandas = import_pandas()
    return pandas.StringDtype(storage, na_value=float("nan")) if missing == "nan" else pandas.StringDtype(storage)


def _read_strings(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    storage, missing, items = require_fields(encoded, 3)
    values = decoder.decode_items(items)
    for value in values:
        require_type(value, str, type(None))
    return import_pandas().array(values, dtype=_make_string_dtype(storage, missing))


def _read_categories(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    categories, codes, ordered = require_fields(encoded, 3)
    names, code_values = _read_index(decoder, categories), _read_column(decoder, codes)
    return import_pandas().Categorical.from_codes(code_values, categories=names, ordered=require_type(ordered, bool))


def _read_intervals(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    left, right, closed = require_fields(encoded, 3)
    return import_pandas().arrays.IntervalArray.from_arrays(
        _read_index(decoder, left), _read_index(decoder, right), closed=_validate_closed(closed)
    )


def _read_interval(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    left, right, closed = require_fields(encoded, 3)
    return import_pandas().Interval(decoder.decode(left), decoder.decode(right), closed=_validate_closed(closed))


def _validate_closed(closed: Any) -> str:
    if closed not in ("left", "right", "both", "neither"):
        raise WireFormatError("An interval has unknown ends.")
    return str(closed)


def _read_periods(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    frequency, numbers = require_fields(encoded, 2)
    ordinals = _read_numbers(decoder, numbers, "int64")
    return import_pandas().PeriodIndex.from_ordinals(ordinals, freq=_validate_frequency(frequency)).array


def _read_period(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    frequency, ordinal = require_fields(encoded, 2)
    return import_pandas().Period(ordinal=require_type(ordinal, int), freq=_validate_frequency(frequency))


def _validate_frequency(frequency: Any) -> str:
    if not FREQUENCY_PATTERN.fullmatch(require_type(frequency, str)):
        raise WireFormatError("A frequency is malformed.")
    return str(frequency)


def _read_sparse(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    column, fill_value = require_fields(encoded, 2)
    return import_pandas().arrays.SparseArray(_read_column(decoder, column), fill_value=decoder.decode(fill_value))


def _read_category_dtype(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    categories, ordered = require_fields(encoded, 2)
    names = None if categories is None else _read_index(decoder, categories)
    return import_pandas().CategoricalDtype(names, ordered=require_type(ordered, bool, type(None)))


def _read_time(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    number, unit, encoded_zone = require_fields(encoded, 3)
    time_zone = read_zone(encoded_zone, decoder.bounds)
    value = import_pandas().Timestamp(import_numpy().datetime64(require_type(number, int), _validate_unit(unit)))
    return value if time_zone is None else value.tz_localize("UTC").tz_convert(time_zone)


def _read_span(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    number, unit = require_fields(encoded, 2)
    return import_pandas().Timedelta(import_numpy().timedelta64(require_type(number, int), _validate_unit(unit)))


def _read_zoned_dtype(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    unit, encoded_zone = require_fields(encoded, 2)
    return import_pandas().DatetimeTZDtype(_validate_unit(unit), read_zone(encoded_zone, decoder.bounds))


_COLUMN_TAGS = ("pT", "pG", "pM", "pS", "pC", "pI", "pP", "pX")
READERS: dict[str, Callable[[ValueDecoder, list[Any]], Any]] = {
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
    "pI": _read_intervals,
    "pP": _read_periods,
    "pX": _read_sparse,
    "pi": _read_interval,
    "pp": _read_period,
    "pt": _read_time,
    "pd": _read_span,
    "pN": lambda decoder, encoded: import_pandas().NaT,
    "pA": lambda decoder, encoded: import_pandas().NA,
    "pz": lambda decoder, encoded: _make_string_dtype(*require_fields(encoded, 2)),
    "py": _read_category_dtype,
    "pw": lambda decoder, encoded: _find_masked_dtype(*require_fields(encoded, 1)),
    "pu": _read_zoned_dtype,
}
