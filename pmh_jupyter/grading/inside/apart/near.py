"""Plain data that is like other plain data and not equal to it: what objects are asked about to try their claims."""

from __future__ import annotations

import dataclasses
import enum
import math
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

MANY, FEW = 16, 1
MOST_ELEMENTS = 10_000
_ALPHABETS = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class _Alone(Exception):
    """There is nothing like this value."""


def near(value: Any, seed: str) -> list[Any]:
    """Values that are, by no honest equality, equal to this one: the more, the less can whoever equals one alone guess when it is asked
    about the right one. They lie on both sides of it, and more on one than on the other, so that it does not lie in their middle.
    Empty for what there is nothing like.
    """
    many = not hasattr(value, "__len__") or len(value) <= MOST_ELEMENTS  # each of them has to be carried over
    chance = random.Random(seed)
    found: list[Any] = [value]
    below = chance.randrange((MANY if many else FEW) + 1)
    for way, count in ((-1, below), (1, (MANY if many else FEW) - below)):
        for other in _walk(value, way, count, chance):
            if not any(_same(other, known) for known in found):
                found.append(other)
    return found[1:]


def strange_to(value: Any, word: str) -> list[Any]:
    """A value of the same kind that nobody has seen before, made of hexadecimal digits. Empty for a kind of which there are few."""
    make = _STRANGE.get(type(value))
    return [make(word[:12])] if make else []


def _walk(value: Any, way: int, count: int, chance: random.Random) -> Iterator[Any]:
    for _ in range(count):
        try:
            value = _step(value, way, chance)
        except Exception:  # noqa: BLE001 - beyond what its kind can hold, or of a kind that this cannot be done with
            return
        yield value


def _step(value: Any, way: int, chance: random.Random) -> Any:
    """The next value of its kind, one way or the other; of what has parts, with another part. Raises _Alone."""
    return _STEPS.get(type(value), _other)(value, way, chance)


def _number(value: Any, way: int, _chance: random.Random) -> Any:
    return value + way


def _float(value: float, way: int, _chance: random.Random) -> float:
    """By the last digit that is written, but not so little that an equality with a tolerance would not see it."""
    if not math.isfinite(value):
        raise _Alone
    digits = len(repr(value).partition(".")[2]) if value % 1 else 0
    least = 10.0 ** math.ceil(math.log10(abs(value) / 1000 or 1e-9))
    return round(value + way * max(10.0 ** -min(digits, 2), least), digits)


def _text(value: str, way: int, chance: random.Random) -> str:
    if not value:
        return chance.choice(_ALPHABETS[1])
    place = chance.randrange(len(value))
    letters = next((each for each in _ALPHABETS if value[place] in each), None)
    letter = letters[(letters.index(value[place]) + way) % len(letters)] if letters else chance.choice(_ALPHABETS[1])
    return value[:place] + letter + value[place + 1 :]


def _bytes(value: bytes | bytearray, way: int, chance: random.Random) -> bytes | bytearray:
    numbers = list(value) or [0]
    place = chance.randrange(len(numbers))
    numbers[place] = (numbers[place] + way) % 256
    return type(value)(numbers)


def _parts(values: list[Any], way: int, chance: random.Random) -> list[Any]:
    """With the first of the values after a random place changed of which that can be done."""
    first = chance.randrange(len(values)) if values else 0
    for place in range(first, first + len(values)):
        place %= len(values)
        try:
            return [*values[:place], _step(values[place], way, chance), *values[place + 1 :]]
        except _Alone:
            continue
    raise _Alone


def _row(value: list[Any] | tuple[Any, ...], way: int, chance: random.Random) -> Any:
    return type(value)(_parts(list(value), way, chance) if value else [_word(chance)])


def _set(value: set[Any] | frozenset[Any], way: int, chance: random.Random) -> Any:
    return type(value)(_parts(sorted(value, key=repr), way, chance) if value else [_word(chance)])


def _dict(value: dict[Any, Any], way: int, chance: random.Random) -> dict[Any, Any]:
    if not value:
        return {_word(chance): 0}
    try:
        return dict(zip(value, _parts(list(value.values()), way, chance), strict=True))
    except _Alone:
        return dict(zip(_parts(list(value), way, chance), value.values(), strict=True))


def _day(value: Any, way: int, _chance: random.Random) -> Any:
    return value + timedelta(days=way)


def _minute(value: time, way: int, _chance: random.Random) -> time:
    return value.replace(minute=(value.minute + way) % 60)


def _other(value: Any, way: int, chance: random.Random) -> Any:
    """Of a class that is not one of Python's own kinds of data."""
    if isinstance(value, enum.Enum):
        members = list(type(value))
        return members[(members.index(value) + way) % len(members)]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*_parts(list(value), way, chance))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.init]
        changed = _parts([getattr(value, name) for name in names], way, chance)
        return dataclasses.replace(value, **dict(zip(names, changed, strict=True)))
    if type(value).__module__.partition(".")[0] in ("numpy", "pandas"):
        return value + way
    raise _Alone


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(_ALPHABETS[1], k=4))


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - arrays differ element by element
        return False


_STEPS: Mapping[type, Callable[[Any, int, random.Random], Any]] = {
    bool: lambda value, way, chance: not value,
    **dict.fromkeys((int, complex, Decimal, Fraction), _number),
    float: _float,
    str: _text,
    **dict.fromkeys((bytes, bytearray), _bytes),
    **dict.fromkeys((list, tuple), _row),
    **dict.fromkeys((set, frozenset), _set),
    dict: _dict,
    **dict.fromkeys((date, datetime, timedelta), _day),
    time: _minute,
}
_STRANGE: Mapping[type, Callable[[str], Any]] = {
    **dict.fromkeys((int, bool), lambda word: int(word, 16)),
    float: lambda word: int(word, 16) / 7,
    complex: lambda word: complex(int(word, 16), 1),
    Decimal: lambda word: Decimal(int(word, 16)),
    Fraction: lambda word: Fraction(int(word, 16), 7),
    str: lambda word: word,
    bytes: lambda word: word.encode(),
    list: lambda word: [int(word, 16)],
    tuple: lambda word: (int(word, 16),),
    dict: lambda word: {word: word},
    set: lambda word: {word},
    frozenset: lambda word: frozenset({word}),
}
