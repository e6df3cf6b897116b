"""Generates plain data that is similar but not equal to a value, to verify claims of equality."""

from __future__ import annotations

import copy
import dataclasses
import enum
import math
import pathlib
import random
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from numbers import Number
from typing import Any

from pmh_jupyter.grading.runtime.proxies.proxies import is_proxy

NEAR_MISS_COUNT = 16
# For all near misses of a value together, because each of them has to be sent.
MAX_ELEMENTS = 160_000
_ALPHABETS = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class _NoNearMiss(Exception):
    """No similar value exists."""


def create_near_misses(value: Any, seed: str) -> list[Any]:
    """Return values that no honest equality considers equal to this one, or an empty list if there are none.

    Some are smaller than the value and some are larger, in random proportion, so that the value is not always in the middle. With more
    values, an object that equals a single value is less likely to guess the expected one.
    """
    total = max(1, min(NEAR_MISS_COUNT, MAX_ELEMENTS // max(1, len(value) if hasattr(value, "__len__") else 1)))
    rng = random.Random(seed)
    values: list[Any] = [value]
    count_below = rng.randrange(total + 1)
    for direction, count in ((-1, count_below), (1, total - count_below)):
        for candidate in _iter_steps(value, direction, count, rng):
            if not any(is_equal(candidate, earlier) for earlier in values):
                values.append(candidate)
    return values[1:]


def create_similar_calls(
    arguments: tuple[Any, ...],
    keywords: Mapping[str, Any],
    rng: random.Random,
    counts: tuple[int, int],
    list_decoys: Callable[[Any], list[Any]] = lambda proxy: [],
) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Return arguments for other calls of the same function, in which every argument that has a similar value is changed.

    They are steps of a walk through the actual arguments. counts: the numbers of steps before and behind these. Neither should be 0,
    because there may be a limit beyond which all objects are equal.
    list_decoys: returns the decoys of an object of the notebook, which take its place.
    """
    values = [*arguments, *keywords.values()]
    directions = [rng.choice((-1, 1)) for _ in values]
    calls: list[list[Any]] = []
    for sign, steps in zip((-1, 1), counts, strict=True):
        changed_values = values
        for _ in range(steps):
            changed_values = [
                _change_value(value, original, sign * direction, rng, list_decoys)
                for value, original, direction in zip(changed_values, values, directions, strict=True)
            ]
            if not any(_are_same(changed_values, earlier) for earlier in (values, *calls)):
                calls.append(changed_values)
    return [(tuple(call[: len(arguments)]), dict(zip(keywords, call[len(arguments) :], strict=True))) for call in calls]


def _change_value(
    value: Any, original: Any, direction: int, rng: random.Random, list_decoys: Callable[[Any], list[Any]]
) -> Any:
    if is_proxy(value):
        return rng.choice([decoy for decoy in list_decoys(original) if decoy is not value] or [value])
    if getattr(value, "__len__", int)() > MAX_ELEMENTS // NEAR_MISS_COUNT or _has_hashed_proxies(value):
        return value
    if type(value) in (list, tuple) and any(map(is_proxy, value)):
        return type(value)(
            _change_value(item, original_item, direction, rng, list_decoys)
            for item, original_item in zip(value, original, strict=True)
        )
    *_, changed_value = (value, *_iter_steps(value, direction, 1, rng))
    return changed_value


def _has_hashed_proxies(value: Any) -> bool:
    """Return whether a set or a dictionary contains objects of the notebook. Another set of them would ask them for a hash."""
    if isinstance(value, (set, frozenset, Mapping)):
        return any(map(is_proxy, value)) or (isinstance(value, Mapping) and any(map(is_proxy, value.values())))
    return isinstance(value, (list, tuple)) and any(map(_has_hashed_proxies, value))


def _are_same(left: Any, right: Any) -> bool:
    """Return whether two arguments are the same objects of the notebook, or equal. No object of the notebook is asked."""
    if type(left) is type(right) and type(left) in (list, tuple):
        return len(left) == len(right) and all(map(_are_same, left, right))
    return left is right or not (is_proxy(left) or is_proxy(right)) and is_equal(left, right)


def create_unique_value(value: Any, hex_digits: str) -> Any:
    """Return a new value that is made from hexadecimal digits: of the type of the value if the type permits it, otherwise text."""
    cls, text = type(value), hex_digits[:32]
    with suppress(Exception):  # out of the range of its type, or of a type that is made from something else
        if cls in _NUMBER_TYPES:
            # Of the same magnitude, because an honest method may count up to it.
            magnitude = int(abs(value)) if math.isfinite(abs(value)) else 0
            return cls(magnitude * 10 + 100 + int(hex_digits[:3], 16))
        if cls in (bytes, bytearray):
            return cls.fromhex(text)
        if cls in (dict, OrderedDict, defaultdict):
            return cls.fromkeys(text)
        if cls in _STEP_FUNCTIONS and cls is not bool:
            return cls(text)
    return text


def _iter_steps(value: Any, direction: int, count: int, rng: random.Random) -> Iterator[Any]:
    for _ in range(count):
        try:
            value = _step_value(value, direction, rng)
        except Exception:  # noqa: BLE001 - out of the range of its type, or of a type without neighbors
            return
        yield value


def _step_value(value: Any, direction: int, rng: random.Random) -> Any:
    """Return a neighbor of the value; for a value with parts, one with another part. Raises `_NoNearMiss`."""
    if is_proxy(value):
        raise _NoNearMiss
    return _STEP_FUNCTIONS.get(type(value), _step_object)(value, direction, rng)


def _step_float(value: float, direction: int, _rng: random.Random) -> float:
    """Change the last written digit, but by enough for an equality with a tolerance to notice."""
    if not math.isfinite(value):
        raise _NoNearMiss
    digits = len(repr(value).partition(".")[2]) if value % 1 else 0
    min_step = 10.0 ** math.ceil(math.log10(abs(value) / 1000 or 1e-9))
    return round(value + direction * max(10.0 ** -min(digits, 2), min_step), digits)


def _step_text(value: str, direction: int, rng: random.Random) -> str:
    if not value:
        return rng.choice(_ALPHABETS[1])
    # Not separators and signs, which an honest parser may ignore.
    indexes = [index for index, letter in enumerate(value) if any(letter in alphabet for alphabet in _ALPHABETS)]
    index = rng.choice(indexes or range(len(value)))
    alphabet = next((candidate for candidate in _ALPHABETS if value[index] in candidate), None)
    new_letter = (
        alphabet[(alphabet.index(value[index]) + direction) % len(alphabet)] if alphabet else rng.choice(_ALPHABETS[1])
    )
    return value[:index] + new_letter + value[index + 1 :]


def _step_bytes(value: bytes | bytearray, direction: int, rng: random.Random) -> bytes | bytearray:
    return type(value)(_step_text(value.decode("latin-1"), direction, rng).encode("latin-1"))


def _step_one_item(values: list[Any], direction: int, rng: random.Random) -> list[Any]:
    """Change one item: the first one after a random position that has a neighbor."""
    first_index = rng.randrange(len(values)) if values else 0
    for index in range(first_index, first_index + len(values)):
        index %= len(values)
        try:
            return [*values[:index], _step_value(values[index], direction, rng), *values[index + 1 :]]
        except _NoNearMiss:
            continue
    raise _NoNearMiss


def _step_collection(value: Any, direction: int, rng: random.Random) -> Any:
    items = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else list(value)
    try:
        return type(value)(_step_one_item(items, direction, rng))
    except _NoNearMiss:
        return type(value)([*items, _generate_word(rng)])


def _step_dict(value: dict[Any, Any], direction: int, rng: random.Random) -> dict[Any, Any]:
    items = dict(_step_one_item(list(value.items()), direction, rng)) if value else {_generate_word(rng): 0}
    changed_value = copy.copy(value)
    changed_value.clear()
    changed_value.update(items)
    return changed_value


def _step_path(value: pathlib.PurePath, direction: int, rng: random.Random) -> pathlib.PurePath:
    return type(value)(_step_text(str(value), direction, rng))


def _step_object(value: Any, direction: int, rng: random.Random) -> Any:
    """Return a neighbor of a number, a date, an enum member, a named tuple, a dataclass, a NumPy or pandas value, or a simple object."""
    if isinstance(value, enum.Enum):
        members = list(type(value))
        return members[(members.index(value) + direction) % len(members)]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*_step_one_item(list(value), direction, rng))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.init]
        changed_values = _step_one_item([getattr(value, name) for name in names], direction, rng)
        return dataclasses.replace(value, **dict(zip(names, changed_values, strict=True)))
    if isinstance(value, (date, timedelta)):  # also those of pandas
        return value + timedelta(days=direction)
    if isinstance(value, Number) or type(value).__module__.partition(".")[0] in ("numpy", "pandas"):
        return value + direction
    attributes = getattr(value, "__dict__", None)
    if type(attributes) is not dict or not attributes:
        raise _NoNearMiss
    changed_value = copy.copy(value)
    vars(changed_value).update(_step_dict(attributes, direction, rng))
    return changed_value


def _generate_word(rng: random.Random) -> str:
    return "".join(rng.choices(_ALPHABETS[1], k=4))


def is_equal(left: Any, right: Any) -> bool:
    """Return whether two values are equal as a whole."""
    try:
        return bool(left == right)
    except Exception:  # noqa: BLE001 - arrays differ element by element
        return False


_NUMBER_TYPES = (int, float, complex, Decimal, Fraction)
_STEP_FUNCTIONS: Mapping[type, Callable[[Any, int, random.Random], Any]] = {
    bool: lambda value, direction, rng: not value,
    float: _step_float,
    str: _step_text,
    **dict.fromkeys((bytes, bytearray), _step_bytes),
    **dict.fromkeys((list, tuple, deque, set, frozenset), _step_collection),
    **dict.fromkeys((dict, Counter, OrderedDict, defaultdict), _step_dict),
    range: lambda value, direction, rng: range(value.start, value.stop + direction * value.step, value.step),
    **dict.fromkeys((pathlib.PosixPath, pathlib.PurePosixPath), _step_path),
    uuid.UUID: lambda value, direction, rng: uuid.UUID(int=(value.int + direction) % (1 << 128)),
    time: lambda value, direction, rng: value.replace(minute=(value.minute + direction) % 60),
}
