"""Encodes and decodes values that contain no other values: numbers, strings, dates and times."""

from __future__ import annotations

import datetime
import functools
import pathlib
import re
import uuid
import zoneinfo
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import EllipsisType, NotImplementedType
from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import (
    MAX_INT,
    MIN_INT,
    SizeBounds,
    ValueTooLarge,
    WireFormatError,
    require_fields,
    require_type,
)

__builtins__ = BUILTINS

WireValue = Any
# Types whose values always represent themselves. An int or a str does so unless it is unusual.
NATIVE_TYPES = frozenset({type(None), bool, float, bytes})


class NotByValue(Exception):
    """This value cannot be encoded by value after all. It is sent as a reference."""


def write_integer(value: int, bounds: SizeBounds) -> WireValue:
    """Encode an int: as itself within 64 bits, otherwise as its sign and its bytes."""
    if MIN_INT <= value <= MAX_INT:
        return value
    size = (value.bit_length() + 7) // 8
    if size > bounds.max_int_bytes:
        raise ValueTooLarge(f"An integer of {size} bytes is too large to be sent.")
    return ["i", value < 0, abs(value).to_bytes(size, "big")]


def write_text(value: str) -> WireValue:
    """Encode a str: as itself, unless it contains lone surrogates, which UTF-8 cannot represent."""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return ["s", value.encode("utf-8", "surrogatepass")]
    return value


def read_integer(encoded: WireValue, bounds: SizeBounds) -> int:
    """Decode an int of any size."""
    if type(encoded) is int:
        return encoded
    if type(encoded) is list and encoded and encoded[0] == "i":
        return _read_big_integer(encoded, bounds)
    raise WireFormatError("An integer is missing.")


def _read_big_integer(encoded: list[Any], bounds: SizeBounds) -> int:
    is_negative, data = require_fields(encoded, 2)
    require_type(is_negative, bool)
    if len(require_type(data, bytes)) > bounds.max_int_bytes:
        raise WireFormatError("An integer is too large.")
    value = int.from_bytes(data, "big")
    return -value if is_negative else value


def _read_text(encoded: list[Any], bounds: SizeBounds) -> str:
    (data,) = require_fields(encoded, 1)
    return str(require_type(data, bytes).decode("utf-8", "surrogatepass"))


def _read_complex(encoded: list[Any], bounds: SizeBounds) -> complex:
    real, imag = require_fields(encoded, 2)
    return complex(require_type(real, float), require_type(imag, float))


def _write_range(value: range, bounds: SizeBounds) -> WireValue:
    return [
        "r",
        write_integer(value.start, bounds),
        write_integer(value.stop, bounds),
        write_integer(value.step, bounds),
    ]


def _read_range(encoded: list[Any], bounds: SizeBounds) -> range:
    return range(*(read_integer(part, bounds) for part in require_fields(encoded, 3)))


def _write_decimal(value: Decimal, bounds: SizeBounds) -> WireValue:
    digits = str(value)
    if len(digits) > bounds.max_int_bytes:
        raise ValueTooLarge("A Decimal has too many digits to be sent.")
    return ["D", digits]


def _read_decimal(encoded: list[Any], bounds: SizeBounds) -> Decimal:
    (digits,) = require_fields(encoded, 1)
    if len(require_type(digits, str)) > bounds.max_int_bytes:
        raise WireFormatError("A Decimal has too many digits.")
    return Decimal(digits)


def _write_fraction(value: Fraction, bounds: SizeBounds) -> WireValue:
    return ["Q", write_integer(value.numerator, bounds), write_integer(value.denominator, bounds)]


def _read_fraction(encoded: list[Any], bounds: SizeBounds) -> Fraction:
    numerator, denominator = (read_integer(part, bounds) for part in require_fields(encoded, 2))
    return Fraction(numerator, denominator)


def _read_uuid(encoded: list[Any], bounds: SizeBounds) -> uuid.UUID:
    (data,) = require_fields(encoded, 1)
    return uuid.UUID(bytes=require_type(data, bytes))


def _write_path(value: pathlib.PurePath, bounds: SizeBounds) -> WireValue:
    return ["P", isinstance(value, pathlib.Path), write_text(str(value))]


def _read_path(encoded: list[Any], bounds: SizeBounds) -> pathlib.PurePath:
    is_concrete, path = require_fields(encoded, 2)
    path = path if type(path) is str else _read_text(require_type(path, list), bounds)
    return pathlib.PosixPath(path) if require_type(is_concrete, bool) else pathlib.PurePosixPath(path)


@functools.cache
def _list_zone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def write_zone(value: datetime.tzinfo | None) -> WireValue:
    """Encode a time zone: None, a fixed offset or an IANA key. Raises `NotByValue` for any other."""
    if value is None:
        return None
    if type(value) is datetime.timezone:
        offset = value.utcoffset(None)
        microseconds = offset // datetime.timedelta(microseconds=1)
        name = value.tzname(None)
        return ["z", microseconds, None if name == datetime.timezone(offset).tzname(None) else write_text(name)]
    if type(value) is zoneinfo.ZoneInfo and value.key in _list_zone_names():
        return ["Z", value.key]
    raise NotByValue


def read_zone(encoded: WireValue, bounds: SizeBounds) -> datetime.tzinfo | None:
    """Decode a time zone."""
    if encoded is None:
        return None
    if type(encoded) is not list or not encoded:
        raise WireFormatError("A time zone is missing.")
    if encoded[0] == "Z":
        (key,) = require_fields(encoded, 1)
        if require_type(key, str) not in _list_zone_names():
            raise WireFormatError("A time zone is unknown here.")
        return zoneinfo.ZoneInfo(key)
    if encoded[0] != "z":
        raise WireFormatError("A time zone is missing.")
    microseconds, name = require_fields(encoded, 2)
    offset = datetime.timedelta(microseconds=require_type(microseconds, int))
    if name is None:
        return datetime.timezone(offset)
    return datetime.timezone(offset, name if type(name) is str else _read_text(require_type(name, list), bounds))


def _write_pattern(value: re.Pattern[Any], bounds: SizeBounds) -> WireValue:
    text = value.pattern if type(value.pattern) is bytes else write_text(str(value.pattern))
    return ["re", text, int(value.flags & ~re.DEBUG)]


def _read_pattern(encoded: list[Any], bounds: SizeBounds) -> re.Pattern[Any]:
    """Compile a regular expression. DEBUG is left out, because it prints the compiled expression."""
    text, flags = require_fields(encoded, 2)
    if type(text) not in (str, bytes):
        text = _read_text(require_type(text, list), bounds)
    try:
        pattern: re.Pattern[Any] = re.compile(text, require_type(flags, int) & ~int(re.DEBUG))
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        raise WireFormatError("A regular expression is malformed.") from error
    return pattern


def _write_datetime(value: datetime.datetime, bounds: SizeBounds) -> WireValue:
    date = ["tt", value.year, value.month, value.day]
    return [*date, value.hour, value.minute, value.second, value.microsecond, value.fold, write_zone(value.tzinfo)]


def _read_datetime(encoded: list[Any], bounds: SizeBounds) -> datetime.datetime:
    *parts, fold, encoded_zone = require_fields(encoded, 9)
    year, month, day, hour, minute, second, microsecond = _require_integers(parts)
    date = datetime.date(year, month, day)
    time = datetime.time(
        hour, minute, second, microsecond, read_zone(encoded_zone, bounds), fold=require_type(fold, int)
    )
    return datetime.datetime.combine(date, time)


def _write_time(value: datetime.time, bounds: SizeBounds) -> WireValue:
    return ["th", value.hour, value.minute, value.second, value.microsecond, value.fold, write_zone(value.tzinfo)]


def _read_time(encoded: list[Any], bounds: SizeBounds) -> datetime.time:
    *parts, fold, encoded_zone = require_fields(encoded, 6)
    hour, minute, second, microsecond = _require_integers(parts)
    return datetime.time(
        hour, minute, second, microsecond, read_zone(encoded_zone, bounds), fold=require_type(fold, int)
    )


def _require_integers(parts: list[Any]) -> list[int]:
    for part in parts:
        require_type(part, int)
    return parts


def _build_constant_codec(encoded: WireValue, value: object) -> tuple[Callable[..., WireValue], Callable[..., object]]:
    def read(encoded: list[Any], bounds: SizeBounds) -> object:
        require_fields(encoded, 0)
        return value

    return (lambda value, bounds: list(encoded)), read


_ELLIPSIS = _build_constant_codec(["..."], Ellipsis)
_NOT_IMPLEMENTED = _build_constant_codec(["ni"], NotImplemented)

WRITERS: dict[type, Callable[[Any, SizeBounds], WireValue]] = {
    int: write_integer,
    str: lambda value, bounds: write_text(value),
    complex: lambda value, bounds: ["c", value.real, value.imag],
    range: _write_range,
    Decimal: _write_decimal,
    Fraction: _write_fraction,
    uuid.UUID: lambda value, bounds: ["U", value.bytes],
    pathlib.PosixPath: _write_path,
    pathlib.PurePosixPath: _write_path,
    re.Pattern: _write_pattern,
    datetime.datetime: _write_datetime,
    datetime.date: lambda value, bounds: ["td", value.year, value.month, value.day],
    datetime.time: _write_time,
    datetime.timedelta: lambda value, bounds: ["te", value.days, value.seconds, value.microseconds],
    datetime.timezone: lambda value, bounds: write_zone(value),
    zoneinfo.ZoneInfo: lambda value, bounds: write_zone(value),
    EllipsisType: _ELLIPSIS[0],
    NotImplementedType: _NOT_IMPLEMENTED[0],
}

READERS: dict[str, Callable[[list[Any], SizeBounds], object]] = {
    "i": _read_big_integer,
    "s": _read_text,
    "c": _read_complex,
    "r": _read_range,
    "D": _read_decimal,
    "Q": _read_fraction,
    "U": _read_uuid,
    "P": _read_path,
    "re": _read_pattern,
    "z": read_zone,
    "Z": read_zone,
    "tt": _read_datetime,
    "th": _read_time,
    "td": lambda encoded, bounds: datetime.date(*_require_integers(require_fields(encoded, 3))),
    "te": lambda encoded, bounds: datetime.timedelta(*_require_integers(require_fields(encoded, 3))),
    "...": _ELLIPSIS[1],
    "ni": _NOT_IMPLEMENTED[1],
}
