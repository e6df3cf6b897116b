"""Values that hold no other values, as forms and back: numbers, strings, dates and times."""

from __future__ import annotations

import datetime
import functools
import uuid
import zoneinfo
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import EllipsisType, NotImplementedType
from typing import Any

from pmh_jupyter.grading.inside.apart.forms import (
    LEAST_INT,
    MOST_INT,
    BadForm,
    Bounds,
    TooMuch,
    exact,
    fields,
)

from .own import BUILTINS

__builtins__ = BUILTINS

Form = Any
# Types whose values are their own form, whatever the value; int and str are too unless they are unusual.
NATIVE = frozenset({type(None), bool, float, bytes})


class NotPlain(Exception):
    """This value cannot cross by value after all; it goes by handle."""


def integer(value: int, bounds: Bounds) -> Form:
    """An int: itself within 64 bits, else its sign and its bytes."""
    if LEAST_INT <= value <= MOST_INT:
        return value
    size = (value.bit_length() + 7) // 8
    if size > bounds.most_int_bytes:
        raise TooMuch(f"An integer of {size} bytes is too large to be sent.")
    return ["i", value < 0, abs(value).to_bytes(size, "big")]


def text(value: str) -> Form:
    """A str: itself, unless it has lone surrogates, which UTF-8 does not know."""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return ["s", value.encode("utf-8", "surrogatepass")]
    return value


def as_integer(form: Form, bounds: Bounds) -> int:
    """Read an int, small or big."""
    if type(form) is int:
        return form
    if type(form) is list and form and form[0] == "i":
        return _read_int(form, bounds)
    raise BadForm("No integer where one must be.")


def _read_int(form: list[Any], bounds: Bounds) -> int:
    negative, data = fields(form, 2)
    exact(negative, bool)
    if len(exact(data, bytes)) > bounds.most_int_bytes:
        raise BadForm("An integer is too large.")
    value = int.from_bytes(data, "big")
    return -value if negative else value


def _read_text(form: list[Any], bounds: Bounds) -> str:
    (data,) = fields(form, 1)
    return str(exact(data, bytes).decode("utf-8", "surrogatepass"))


def _complex(value: complex, bounds: Bounds) -> Form:
    return ["c", value.real, value.imag]


def _read_complex(form: list[Any], bounds: Bounds) -> complex:
    real, imag = fields(form, 2)
    return complex(exact(real, float), exact(imag, float))


def _range(value: range, bounds: Bounds) -> Form:
    return ["r", integer(value.start, bounds), integer(value.stop, bounds), integer(value.step, bounds)]


def _read_range(form: list[Any], bounds: Bounds) -> range:
    return range(*(as_integer(part, bounds) for part in fields(form, 3)))


def _decimal(value: Decimal, bounds: Bounds) -> Form:
    written = str(value)
    if len(written) > bounds.most_int_bytes:
        raise TooMuch("A Decimal has too many digits to be sent.")
    return ["D", written]


def _read_decimal(form: list[Any], bounds: Bounds) -> Decimal:
    (written,) = fields(form, 1)
    if len(exact(written, str)) > bounds.most_int_bytes:
        raise BadForm("A Decimal has too many digits.")
    return Decimal(written)


def _fraction(value: Fraction, bounds: Bounds) -> Form:
    return ["Q", integer(value.numerator, bounds), integer(value.denominator, bounds)]


def _read_fraction(form: list[Any], bounds: Bounds) -> Fraction:
    numerator, denominator = (as_integer(part, bounds) for part in fields(form, 2))
    return Fraction(numerator, denominator)


def _uuid(value: uuid.UUID, bounds: Bounds) -> Form:
    return ["U", value.bytes]


def _read_uuid(form: list[Any], bounds: Bounds) -> uuid.UUID:
    (data,) = fields(form, 1)
    return uuid.UUID(bytes=exact(data, bytes))


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def zone(value: datetime.tzinfo | None) -> Form:
    """A time zone: none, a fixed offset, or a key of the table of zones. Raises `NotPlain` for any other."""
    if value is None:
        return None
    if type(value) is datetime.timezone:
        offset = value.utcoffset(None)
        microseconds = offset // datetime.timedelta(microseconds=1)
        name = value.tzname(None)
        return ["z", microseconds, None if name == datetime.timezone(offset).tzname(None) else text(name)]
    if type(value) is zoneinfo.ZoneInfo and value.key in _zones():
        return ["Z", value.key]
    raise NotPlain


def read_zone(form: Form, bounds: Bounds) -> datetime.tzinfo | None:
    """The time zone of such a form."""
    if form is None:
        return None
    if type(form) is not list or not form:
        raise BadForm("No time zone where one must be.")
    if form[0] == "Z":
        (key,) = fields(form, 1)
        if exact(key, str) not in _zones():
            raise BadForm("A time zone is unknown here.")
        return zoneinfo.ZoneInfo(key)
    if form[0] != "z":
        raise BadForm("No time zone where one must be.")
    microseconds, name = fields(form, 2)
    offset = datetime.timedelta(microseconds=exact(microseconds, int))
    if name is None:
        return datetime.timezone(offset)
    return datetime.timezone(offset, name if type(name) is str else _read_text(exact(name, list), bounds))


def _zone(value: datetime.tzinfo, bounds: Bounds) -> Form:
    return zone(value)


def _datetime(value: datetime.datetime, bounds: Bounds) -> Form:
    date = ["tt", value.year, value.month, value.day]
    return [*date, value.hour, value.minute, value.second, value.microsecond, value.fold, zone(value.tzinfo)]


def _read_datetime(form: list[Any], bounds: Bounds) -> datetime.datetime:
    *parts, fold, tz = fields(form, 9)
    year, month, day, hour, minute, second, microsecond = _ints(parts)
    date = datetime.date(year, month, day)
    time = datetime.time(hour, minute, second, microsecond, read_zone(tz, bounds), fold=exact(fold, int))
    return datetime.datetime.combine(date, time)


def _time(value: datetime.time, bounds: Bounds) -> Form:
    return ["th", value.hour, value.minute, value.second, value.microsecond, value.fold, zone(value.tzinfo)]


def _read_time(form: list[Any], bounds: Bounds) -> datetime.time:
    *parts, fold, tz = fields(form, 6)
    hour, minute, second, microsecond = _ints(parts)
    return datetime.time(hour, minute, second, microsecond, read_zone(tz, bounds), fold=exact(fold, int))


def _date(value: datetime.date, bounds: Bounds) -> Form:
    return ["td", value.year, value.month, value.day]


def _read_date(form: list[Any], bounds: Bounds) -> datetime.date:
    return datetime.date(*_ints(fields(form, 3)))


def _timedelta(value: datetime.timedelta, bounds: Bounds) -> Form:
    return ["te", value.days, value.seconds, value.microseconds]


def _read_timedelta(form: list[Any], bounds: Bounds) -> datetime.timedelta:
    return datetime.timedelta(*_ints(fields(form, 3)))


def _ints(parts: list[Any]) -> list[int]:
    for part in parts:
        exact(part, int)
    return parts


def _constant(form: Form, value: object) -> tuple[Callable[..., Form], Callable[..., object]]:
    def read(form: list[Any], bounds: Bounds) -> object:
        fields(form, 0)
        return value

    return (lambda value, bounds: list(form)), read


_ELLIPSIS = _constant(["..."], Ellipsis)
_NOT_IMPLEMENTED = _constant(["ni"], NotImplemented)

WRITERS: dict[type, Callable[[Any, Bounds], Form]] = {
    int: integer,
    str: lambda value, bounds: text(value),
    complex: _complex,
    range: _range,
    Decimal: _decimal,
    Fraction: _fraction,
    uuid.UUID: _uuid,
    datetime.datetime: _datetime,
    datetime.date: _date,
    datetime.time: _time,
    datetime.timedelta: _timedelta,
    datetime.timezone: _zone,
    zoneinfo.ZoneInfo: _zone,
    EllipsisType: _ELLIPSIS[0],
    NotImplementedType: _NOT_IMPLEMENTED[0],
}

READERS: dict[str, Callable[[list[Any], Bounds], object]] = {
    "i": _read_int,
    "s": _read_text,
    "c": _read_complex,
    "r": _read_range,
    "D": _read_decimal,
    "Q": _read_fraction,
    "U": _read_uuid,
    "z": read_zone,
    "Z": read_zone,
    "tt": _read_datetime,
    "th": _read_time,
    "td": _read_date,
    "te": _read_timedelta,
    "...": _ELLIPSIS[1],
    "ni": _NOT_IMPLEMENTED[1],
}
