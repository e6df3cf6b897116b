"""Converts a value of a class that derives from a plain type (a `dict` subclass, a member of a `StrEnum`) to the plain type, without loss.

It runs in the process of the value, and uses the methods of the plain type: overridden methods of the class have no effect.
"""

from __future__ import annotations

import array
import collections
import datetime
import pathlib
import sys
import types
import zoneinfo
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

from pmh_jupyter.grading.runtime.marshalling.loaded_libraries import get_loaded_numpy
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

# The plain value of an immutable object, by its base type.
PLAIN_VALUE_FUNCTIONS: dict[type, Callable[[Any], Any]] = {
    int: int.__pos__,
    float: float.__pos__,
    complex: complex.__pos__,
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    tuple: lambda value: tuple.__getitem__(value, slice(None)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}


def _convert_date(value: datetime.date) -> datetime.date:
    return datetime.date.fromordinal(datetime.date.toordinal(value))


def _convert_datetime(value: datetime.datetime) -> datetime.datetime:
    zone = datetime.datetime.tzinfo.__get__(value)
    # A time zone of another library or of the notebook becomes an offset.
    if zone is not None and type(zone) not in (datetime.timezone, zoneinfo.ZoneInfo):
        zone = datetime.timezone(datetime.datetime.utcoffset(value) or datetime.timedelta())
    return datetime.datetime.combine(_convert_date(value), datetime.datetime.time(value), zone)


def _convert_time(value: datetime.time) -> datetime.time:
    parts = [vars(datetime.time)[name].__get__(value) for name in ("hour", "minute", "second", "microsecond", "tzinfo")]
    return datetime.time(*parts, fold=datetime.time.fold.__get__(value))


def _convert_masked(value: Any) -> Any:
    """Return the array, with NaN in place of masked numbers. Other masked values keep the value that was stored."""
    numpy = get_loaded_numpy()
    plain = numpy.ndarray.view(value, numpy.ndarray).copy()
    if plain.dtype.kind in "fc":
        plain[numpy.ma.getmaskarray(value)] = numpy.nan
    return plain


_CONVERTERS: dict[type, Callable[[Any], Any]] = {
    **PLAIN_VALUE_FUNCTIONS,
    list: lambda value: list(list.__iter__(value)),
    dict: lambda value: dict(dict.items(value)),
    set: lambda value: set(set.__iter__(value)),
    bytearray: lambda value: bytearray(bytearray.__getitem__(value, slice(None))),
    collections.deque: lambda value: collections.deque(collections.deque.__iter__(value)),
    collections.UserDict: lambda value: dict(vars(value)["data"]),
    collections.UserList: lambda value: list(vars(value)["data"]),
    collections.UserString: lambda value: str(vars(value)["data"]),
    collections.ChainMap: lambda value: dict(collections.ChainMap.items(value)),
    array.array: lambda value: array.array.tolist(value),
    memoryview: lambda value: value.tobytes() if value.format == "B" else value.tolist(),
    types.MappingProxyType: lambda value: dict(value),
    pathlib.PurePath: lambda value: str(value),
    datetime.datetime: _convert_datetime,
    datetime.date: _convert_date,
    datetime.time: _convert_time,
    datetime.timedelta: lambda value: datetime.timedelta(
        datetime.timedelta.days.__get__(value),
        datetime.timedelta.seconds.__get__(value),
        datetime.timedelta.microseconds.__get__(value),
    ),
    Decimal: lambda value: Decimal(Decimal.__str__(value)),
    Fraction: lambda value: Fraction(
        vars(Fraction)["numerator"].__get__(value), vars(Fraction)["denominator"].__get__(value)
    ),
}
_LIBRARY_CONVERTERS: dict[tuple[str, str], Callable[[Any, Any], Any]] = {
    ("numpy", "MaskedArray"): lambda base, value: _convert_masked(value),
    ("numpy", "ndarray"): lambda base, value: base.view(value, base).copy(),
    ("pandas", "DataFrame"): lambda base, value: base(base.copy(value)),
    ("pandas", "Series"): lambda base, value: base(base.copy(value)),
    ("pandas", "Index"): lambda base, value: base(base.to_numpy(value), name=value.name),
    ("sympy", "Integer"): lambda base, value: int(value),
    ("sympy", "Rational"): lambda base, value: Fraction(int(value.p), int(value.q)),
    ("sympy", "Float"): lambda base, value: float(value),
}


def has_plain_base(cls: type) -> bool:
    """Return whether values of this class can be converted."""
    return _find_converter(cls) is not None


def convert(value: Any) -> Any:
    """Convert a value whose class has a plain base. Items of containers are not converted."""
    converter = _find_converter(type(value))
    assert converter is not None
    return converter(value)


def _find_converter(cls: type) -> Callable[[Any], Any] | None:
    for base in type.__dict__["__mro__"].__get__(cls):
        converter = _CONVERTERS.get(base)
        if converter is not None:
            return converter
        module = type.__dict__["__module__"].__get__(base) if base.__flags__ & 1 << 9 else base.__module__
        root = module.partition(".")[0] if type(module) is str else ""
        library_converter = _LIBRARY_CONVERTERS.get((root, base.__name__))
        library: Any = sys.modules.get(root)
        if library_converter is not None and base in (
            getattr(library, base.__name__, None),
            getattr(getattr(library, "ma", None), base.__name__, None),
        ):
            return partial(library_converter, base)
    return None
