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

from pmh_jupyter.grading.inside.apart import arrays
from pmh_jupyter.grading.inside.apart.forms import BadForm, exact, fields
from pmh_jupyter.grading.inside.apart.scalars import NotPlain, read_zone, zone

from .own import BUILTINS

__builtins__ = BUILTINS

if TYPE_CHECKING:
    from pmh_jupyter.grading.inside.apart.codec import Decoder, Encoder

Write = Callable[["Encoder", Any], list[Any]]

_UNITS = ("s", "ms", "us", "ns")
_FREQ = re.compile(r"-?\d{0,6}[A-Za-z]{1,4}(-[A-Z]{3})?")
_MASKED = frozenset(
    {"Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64", "boolean"}
)
# Filled when pandas is loaded: what writes each type, which can be changed, and which are columns.
_WRITERS: dict[type, Write] = {}
_COLUMNS: dict[type, Write] = {}
MUTABLE: set[type] = set()


def writer(kind: type) -> Write | None:
    """What writes a value of this type, if it is one of pandas' that cross by value."""
    if not _WRITERS and not _load():
        return None
    return _WRITERS.get(kind)


def _load() -> bool:
    """Learn the types of pandas, if it is loaded (wholly: it may be in the middle of its import)."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not hasattr(pandas, "arrays") or not hasattr(pandas, "test"):
        return False
    kinds = pandas.arrays
    _COLUMNS.update(
        {
            kinds.DatetimeArray: _write_times,
            kinds.TimedeltaArray: _write_spans,
            kinds.IntegerArray: _write_masked,
            kinds.FloatingArray: _write_masked,
            kinds.BooleanArray: _write_masked,
            kinds.StringArray: _write_strings,
            kinds.ArrowStringArray: _write_strings,
            pandas.Categorical: _write_categories,
        }
    )
    # Where the default str is a class of its own (pandas 2).
    _COLUMNS[type(pandas.array([""], dtype="str"))] = _write_strings
    _WRITERS.update(_COLUMNS)
    indexes = (pandas.Index, pandas.DatetimeIndex, pandas.TimedeltaIndex, pandas.CategoricalIndex)
    _WRITERS.update(dict.fromkeys(indexes, _write_index))
    _WRITERS.update(
        {
            pandas.RangeIndex: _write_range,
            pandas.MultiIndex: _write_levels,
            pandas.Series: _write_series,
            pandas.DataFrame: _write_frame,
            pandas.Timestamp: _write_time,
            pandas.Timedelta: _write_span,
            type(pandas.NaT): lambda out, value: ["pN"],
            type(pandas.NA): lambda out, value: ["pA"],
            pandas.StringDtype: lambda out, value: ["pz", *_string_kind(value)],
            pandas.CategoricalDtype: _write_category_dtype,
            pandas.DatetimeTZDtype: lambda out, value: ["pu", value.unit, zone(value.tz)],
        }
    )
    for name in _MASKED:
        _WRITERS[type(pandas.api.types.pandas_dtype(name))] = lambda out, value: ["pw", value.name]
    MUTABLE.update({pandas.Series, pandas.DataFrame})
    return True


def _column(array: Any) -> Callable[[Encoder], list[Any]]:
    """What writes this column. Raises `NotPlain` before anything is written."""
    pandas, numpy = sys.modules["pandas"], sys.modules["numpy"]
    if type(array) is pandas.arrays.NumpyExtensionArray:
        array = array.to_numpy()
    if type(array) is numpy.ndarray:
        if array.dtype.kind != "O":
            arrays.dtype_form(array.dtype)
        return lambda out: arrays.write_array(out, array)
    write = _COLUMNS.get(type(array))
    if write is None:
        raise NotPlain
    if write is _write_times:
        zone(array.tz)
    if write is _write_categories:
        _index(array.categories)
    return lambda out: write(out, array)


def _index(index: Any) -> Callable[[Encoder], list[Any]]:
    """What writes this index. Raises `NotPlain` before anything is written."""
    write = _WRITERS.get(type(index))
    if write is _write_levels:
        for level in index.levels:
            _index(level)
    elif write is _write_index:
        _column(index.array)
    elif write is not _write_range:
        raise NotPlain
    return lambda out: write(out, index)


def _write_series(out: Encoder, value: Any) -> list[Any]:
    index, column = _index(value.index), _column(value.array)
    return ["ps", index(out), column(out), out.value(value.name)]


def _write_frame(out: Encoder, value: Any) -> list[Any]:
    index, names = _index(value.index), _index(value.columns)
    columns = [_column(value.iloc[:, place].array) for place in range(value.shape[1])]
    return ["pf", index(out), names(out), [column(out) for column in columns]]


def _write_index(out: Encoder, value: Any) -> list[Any]:
    return ["px", _column(value.array)(out), out.value(value.name), _freq(value)]


def _write_range(out: Encoder, value: Any) -> list[Any]:
    if len(value) > _most_rows(out):
        raise NotPlain
    return ["pr", value.start, value.stop, value.step, out.value(value.name)]


def _write_levels(out: Encoder, value: Any) -> list[Any]:
    levels = [_index(level) for level in value.levels]
    codes = [_column(sys.modules["numpy"].asarray(part)) for part in value.codes]
    return ["pm", [level(out) for level in levels], [part(out) for part in codes], out.items(value.names)]


def _write_times(out: Encoder, value: Any) -> list[Any]:
    return ["pT", value.unit, zone(value.tz), arrays.write_array(out, value.asi8)]


def _write_spans(out: Encoder, value: Any) -> list[Any]:
    return ["pG", value.unit, arrays.write_array(out, value.asi8)]


def _freq(value: Any) -> str | None:
    """The name of the step between an index's times, if it has one that pandas names itself."""
    freq = getattr(value, "freq", None)
    known = freq is not None and type(freq).__module__.startswith("pandas.")
    return value.freqstr if known and _FREQ.fullmatch(value.freqstr) else None


def _write_masked(out: Encoder, value: Any) -> list[Any]:
    mask = value.isna()
    data = value.to_numpy(dtype=value.dtype.numpy_dtype, na_value=value.dtype.numpy_dtype.type(0))
    return ["pM", value.dtype.name, arrays.write_array(out, data), arrays.write_array(out, mask)]


def _string_kind(dtype: Any) -> list[str]:
    missing = getattr(dtype, "na_value", None)
    return [dtype.storage, "nan" if isinstance(missing, float) else "NA"]


def _write_strings(out: Encoder, value: Any) -> list[Any]:
    items = value.astype(object)
    items[value.isna()] = None
    return ["pS", *_string_kind(value.dtype), out.items(items.tolist())]


def _write_categories(out: Encoder, value: Any) -> list[Any]:
    codes = sys.modules["numpy"].asarray(value.codes)
    return ["pC", _index(value.categories)(out), arrays.write_array(out, codes), value.ordered]


def _write_category_dtype(out: Encoder, value: Any) -> list[Any]:
    categories = None if value.categories is None else _index(value.categories)(out)
    return ["py", categories, value.ordered]


def _write_time(out: Encoder, value: Any) -> list[Any]:
    return ["pt", int(value.asm8.view("i8")), value.unit, zone(value.tz)]


def _write_span(out: Encoder, value: Any) -> list[Any]:
    return ["pd", int(value.asm8.view("i8")), value.unit]


def _most_rows(side: Encoder | Decoder) -> int:
    return 2 * side.bounds.most_nodes


def loaded() -> Any:
    """pandas, imported if need be."""
    try:
        return importlib.import_module("pandas")
    except ImportError:
        raise BadForm("A table came, and pandas is not installed here.") from None


def _read_column(into: Decoder, form: Any) -> Any:
    """A column: a flat array of NumPy's, or one of the listed kinds of pandas'."""
    _tag(form, "a", "ao", *_COLUMN_TAGS)
    value = into.value(form)
    if value.ndim != 1:
        raise BadForm("A column is not flat.")
    return value


def _tag(form: Any, *tags: str) -> None:
    if type(form) is not list or not form or form[0] not in tags:
        raise BadForm("A table holds something else where a column or an index must be.")


def _read_index(into: Decoder, form: Any) -> Any:
    _tag(form, "px", "pr", "pm")
    return into.value(form)


def _numbers(into: Decoder, form: Any, code: str) -> Any:
    value = _read_column(into, form)
    if str(value.dtype) != code:
        raise BadForm("A column has another dtype than it must.")
    return value


def _series(into: Decoder, form: list[Any]) -> Any:
    index, column, name = fields(form, 3)
    rows, values = _read_index(into, index), _read_column(into, column)
    return loaded().Series(values, index=rows, dtype=values.dtype, name=into.value(name), copy=False)


def _frame(into: Decoder, form: list[Any]) -> Any:
    index, names, columns = fields(form, 3)
    pandas, rows, heads = loaded(), _read_index(into, index), _read_index(into, names)
    values = [_read_column(into, column) for column in exact(columns, list)]
    series = [pandas.Series(value, index=rows, dtype=value.dtype, copy=False) for value in values]
    if len(heads) != len(series):
        raise BadForm("A table has more columns than names, or fewer.")
    frame = pandas.DataFrame(dict(enumerate(series)), index=rows)
    frame.columns = heads
    return frame


def _plain_index(into: Decoder, form: list[Any]) -> Any:
    column, name, freq = fields(form, 3)
    values = _read_column(into, column)
    index = loaded().Index(values, dtype=values.dtype, name=into.value(name))
    if freq is not None:
        if not _FREQ.fullmatch(exact(freq, str)) or not hasattr(index, "freq"):
            raise BadForm("A step of times is malformed.")
        index.freq = freq
    return index


def _range(into: Decoder, form: list[Any]) -> Any:
    start, stop, step, name = fields(form, 4)
    rows = range(exact(start, int), exact(stop, int), exact(step, int))
    if len(rows) > _most_rows(into):
        raise BadForm("An index is too long.")
    return loaded().RangeIndex(rows, name=into.value(name))


def _multi_index(into: Decoder, form: list[Any]) -> Any:
    levels, codes, names = fields(form, 3)
    return loaded().MultiIndex(
        levels=[_read_index(into, level) for level in exact(levels, list)],
        codes=[_read_column(into, part) for part in exact(codes, list)],
        names=into.items(names),
    )


def _times(into: Decoder, form: list[Any]) -> Any:
    unit, tz, numbers = fields(form, 3)
    zone_ = read_zone(tz, into.bounds)
    index = loaded().DatetimeIndex(_numbers(into, numbers, "int64").view(f"M8[{_unit(unit)}]"))
    if zone_ is not None:
        index = index.tz_localize("UTC").tz_convert(zone_)
    return index.array


def _spans(into: Decoder, form: list[Any]) -> Any:
    unit, numbers = fields(form, 2)
    index = loaded().TimedeltaIndex(_numbers(into, numbers, "int64").view(f"m8[{_unit(unit)}]"))
    return index.array


def _unit(unit: Any) -> str:
    if unit not in _UNITS:
        raise BadForm("A time has an unknown unit.")
    return str(unit)


def _masked(into: Decoder, form: list[Any]) -> Any:
    name, data, mask = fields(form, 3)
    dtype = _masked_dtype(name)
    values = _numbers(into, data, str(dtype.numpy_dtype))
    return dtype.construct_array_type()(values, _numbers(into, mask, "bool"))


def _masked_dtype(name: Any) -> Any:
    if name not in _MASKED:
        raise BadForm("A dtype is unknown.")
    return loaded().api.types.pandas_dtype(name)


def _string_dtype(storage: Any, missing: Any) -> Any:
    if storage not in ("python", "pyarrow") or missing not in ("nan", "NA"):
        raise BadForm("A dtype is unknown.")
    pandas = loaded()
    return pandas.StringDtype(storage, na_value=float("nan")) if missing == "nan" else pandas.StringDtype(storage)


def _strings(into: Decoder, form: list[Any]) -> Any:
    storage, missing, items = fields(form, 3)
    values = into.items(items)
    for value in values:
        exact(value, str, type(None))
    return loaded().array(values, dtype=_string_dtype(storage, missing))


def _categories(into: Decoder, form: list[Any]) -> Any:
    categories, codes, ordered = fields(form, 3)
    names, places = _read_index(into, categories), _read_column(into, codes)
    return loaded().Categorical.from_codes(places, categories=names, ordered=exact(ordered, bool))


def _category_dtype(into: Decoder, form: list[Any]) -> Any:
    categories, ordered = fields(form, 2)
    names = None if categories is None else _read_index(into, categories)
    return loaded().CategoricalDtype(names, ordered=exact(ordered, bool, type(None)))


def _time(into: Decoder, form: list[Any]) -> Any:
    number, unit, tz = fields(form, 3)
    zone_ = read_zone(tz, into.bounds)
    value = loaded().Timestamp(arrays.loaded().datetime64(exact(number, int), _unit(unit)))
    return value if zone_ is None else value.tz_localize("UTC").tz_convert(zone_)


def _span(into: Decoder, form: list[Any]) -> Any:
    number, unit = fields(form, 2)
    return loaded().Timedelta(arrays.loaded().timedelta64(exact(number, int), _unit(unit)))


def _zoned_dtype(into: Decoder, form: list[Any]) -> Any:
    unit, tz = fields(form, 2)
    return loaded().DatetimeTZDtype(_unit(unit), read_zone(tz, into.bounds))


_COLUMN_TAGS = ("pT", "pG", "pM", "pS", "pC")
_READERS: dict[str, Callable[[Decoder, list[Any]], Any]] = {
    "ps": _series,
    "pf": _frame,
    "px": _plain_index,
    "pr": _range,
    "pm": _multi_index,
    "pT": _times,
    "pG": _spans,
    "pM": _masked,
    "pS": _strings,
    "pC": _categories,
    "pt": _time,
    "pd": _span,
    "pN": lambda into, form: loaded().NaT,
    "pA": lambda into, form: loaded().NA,
    "pz": lambda into, form: _string_dtype(*fields(form, 2)),
    "py": _category_dtype,
    "pw": lambda into, form: _masked_dtype(*fields(form, 1)),
    "pu": _zoned_dtype,
}
TAGS = frozenset(_READERS)


def reader(tag: str) -> Callable[[Decoder, list[Any]], Any] | None:
    """What reads a form of this tag, if it is one of this file's."""
    return _READERS.get(tag)


def refill(known: Any, fresh: Any) -> bool:
    """Put the fresh table's content into the known one, if both are tables of one type; answers whether it did."""
    if type(known) not in MUTABLE or type(known) is not type(fresh):
        return False
    known._update_inplace(fresh)
    if known.ndim == 1:
        known.name = fresh.name
    return True
