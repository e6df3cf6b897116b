"""Encodes and decodes the containers of the standard library."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import (
    ValueDecoder,
    ValueEncoder,
    WireFormatError,
    require_fields,
    require_type,
)

__builtins__ = BUILTINS

# The factories that a decoded defaultdict may use without a reference.
_FACTORIES: dict[str, type] = {
    cls.__name__: cls for cls in (int, float, complex, str, bytes, bool, list, tuple, dict, set, frozenset)
}
_FACTORY_NAMES = {cls: name for name, cls in _FACTORIES.items()}
_EMPTY_DICT: dict[Any, Any] = {}
_DICT_KEYS, _DICT_VALUES, _DICT_ITEMS = type(_EMPTY_DICT.keys()), type(_EMPTY_DICT.values()), type(_EMPTY_DICT.items())


def _write_dict_as(tag: str) -> Callable[[ValueEncoder, Any], list[Any]]:
    return lambda encoder, value: [tag, encoder.encode_items(value), encoder.encode_items(value.values())]


def _write_items_as(tag: str) -> Callable[[ValueEncoder, Any], list[Any]]:
    return lambda encoder, value: [tag, encoder.encode_items(value)]


def _write_defaultdict(encoder: ValueEncoder, value: defaultdict[Any, Any]) -> list[Any]:
    factory = value.default_factory
    name = _FACTORY_NAMES.get(factory) if type(factory) is type else None
    return ["dd", name or encoder.encode(factory), encoder.encode_items(value), encoder.encode_items(value.values())]


def _write_items_view(encoder: ValueEncoder, value: Any) -> list[Any]:
    pairs = list(value)
    return ["vi", encoder.encode_items(key for key, _ in pairs), encoder.encode_items(item for _, item in pairs)]


WRITERS: dict[type, Callable[[ValueEncoder, Any], list[Any]]] = {
    list: _write_items_as("l"),
    tuple: _write_items_as("t"),
    dict: _write_dict_as("d"),
    set: _write_items_as("S"),
    frozenset: _write_items_as("F"),
    bytearray: lambda encoder, value: ["b", bytes(value)],
    deque: lambda encoder, value: ["dq", encoder.encode_items(value), value.maxlen],
    OrderedDict: _write_dict_as("do"),
    Counter: _write_dict_as("dc"),
    defaultdict: _write_defaultdict,
    slice: lambda encoder, value: ["sl", encoder.encode_items((value.start, value.stop, value.step))],
    _DICT_KEYS: _write_items_as("vk"),
    _DICT_VALUES: _write_items_as("vv"),
    _DICT_ITEMS: _write_items_view,
}


def _fill_list(decoder: ValueDecoder, value: list[Any], encoded: list[Any]) -> list[Any]:
    (items,) = require_fields(encoded, 1)
    value[:] = decoder.decode_items(items)
    return value


def _fill_set(decoder: ValueDecoder, value: set[Any], encoded: list[Any]) -> set[Any]:
    (items,) = require_fields(encoded, 1)
    fresh = decoder.decode_keys(items)
    value.clear()
    value.update(fresh)
    return value


def _fill_dict(decoder: ValueDecoder, value: dict[Any, Any], encoded: list[Any]) -> dict[Any, Any]:
    pairs = _read_pairs(decoder, require_fields(encoded, 2))
    value.clear()
    # Not `update`: a Counter adds to its counts there.
    for key, item in pairs:
        value[key] = item
    return value


def _fill_defaultdict(decoder: ValueDecoder, value: defaultdict[Any, Any], encoded: list[Any]) -> defaultdict[Any, Any]:
    name, keys, items = require_fields(encoded, 3)
    factory = _FACTORIES.get(name) if type(name) is str else decoder.decode(name)
    if not callable(factory) and (factory is not None or name is not None):
        raise WireFormatError("A defaultdict has an invalid factory.")
    _fill_dict(decoder, value, ["dd", keys, items])
    value.default_factory = factory
    return value


def _fill_deque(decoder: ValueDecoder, value: deque[Any], encoded: list[Any]) -> deque[Any]:
    items, _ = require_fields(encoded, 2)
    fresh = decoder.decode_items(items)
    value.clear()
    value.extend(fresh)
    return value


def _create_deque(encoded: list[Any]) -> deque[Any]:
    _, maxlen = require_fields(encoded, 2)
    return deque(maxlen=None if maxlen is None else require_type(maxlen, int))


def has_same_settings(existing: Any, fresh: Any) -> bool:
    """Return whether an existing container may be refilled in place of a fresh one of its type."""
    return type(existing) is not deque or existing.maxlen == fresh.maxlen


def refill(existing: Any, fresh: Any) -> bool:
    """Give a container the items of another one of its type. Returns False if its settings differ."""
    if not has_same_settings(existing, fresh):
        return False
    if type(existing) in (list, bytearray):
        existing[:] = fresh
        return True
    items = list(fresh.items()) if isinstance(fresh, dict) else list(fresh)
    existing.clear()
    if isinstance(existing, dict):
        for key, item in items:
            existing[key] = item
    elif type(existing) is set:
        existing.update(items)
    else:
        existing.extend(items)
    if isinstance(existing, defaultdict):
        existing.default_factory = fresh.default_factory
    return True


def _read_pairs(decoder: ValueDecoder, parts: list[Any]) -> Iterable[tuple[Any, Any]]:
    keys, items = decoder.decode_keys(parts[0]), decoder.decode_items(parts[1])
    if len(keys) != len(items):
        raise WireFormatError("A dict's keys and values do not match.")
    return zip(keys, items, strict=True)


def _read_frozenset(decoder: ValueDecoder, encoded: list[Any]) -> frozenset[Any]:
    (items,) = require_fields(encoded, 1)
    return frozenset(decoder.decode_keys(items))


def _read_tuple(decoder: ValueDecoder, encoded: list[Any]) -> tuple[Any, ...]:
    (items,) = require_fields(encoded, 1)
    return tuple(decoder.decode_items(items))


def _read_bytearray(decoder: ValueDecoder, encoded: list[Any]) -> bytearray:
    (data,) = require_fields(encoded, 1)
    return bytearray(require_type(data, bytes))


def _read_slice(decoder: ValueDecoder, encoded: list[Any]) -> slice:
    (items,) = require_fields(encoded, 1)
    start, stop, step = decoder.decode_items(items)
    return slice(start, stop, step)


def _read_keys_view(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    (items,) = require_fields(encoded, 1)
    return dict.fromkeys(decoder.decode_keys(items)).keys()


def _read_values_view(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    (items,) = require_fields(encoded, 1)
    return dict(enumerate(decoder.decode_items(items))).values()


def _read_items_view(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    return dict(_read_pairs(decoder, require_fields(encoded, 2))).items()


# By tag: the type, a function that makes an empty container, and one that fills it. Filling comes second, so that a container may contain
# itself.
FILLABLE: dict[str, tuple[type, Callable[[list[Any]], Any], Callable[[ValueDecoder, Any, list[Any]], Any]]] = {
    "l": (list, lambda encoded: [], _fill_list),
    "d": (dict, lambda encoded: {}, _fill_dict),
    "S": (set, lambda encoded: set(), _fill_set),
    "do": (OrderedDict, lambda encoded: OrderedDict(), _fill_dict),
    "dc": (Counter, lambda encoded: Counter(), _fill_dict),
    "dd": (defaultdict, lambda encoded: defaultdict(), _fill_defaultdict),
    "dq": (deque, _create_deque, _fill_deque),
}
FILLABLE_TYPES = frozenset(cls for cls, _, _ in FILLABLE.values())
NUMBERED_TYPES = FILLABLE_TYPES | {bytearray}
READERS: dict[str, Callable[[ValueDecoder, list[Any]], Any]] = {
    "t": _read_tuple,
    "F": _read_frozenset,
    "b": _read_bytearray,
    "sl": _read_slice,
    "vk": _read_keys_view,
    "vv": _read_values_view,
    "vi": _read_items_view,
}
