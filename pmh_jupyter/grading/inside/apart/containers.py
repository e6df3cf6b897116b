"""The containers of the standard library as forms and back."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pmh_jupyter.grading.inside.apart.forms import BadForm, exact, fields

from .own import BUILTINS

__builtins__ = BUILTINS

if TYPE_CHECKING:
    from pmh_jupyter.grading.inside.apart.codec import Decoder, Encoder

# What a defaultdict may make by itself on the other side.
_FACTORIES: dict[str, type] = {
    kind.__name__: kind for kind in (int, float, complex, str, bytes, bool, list, tuple, dict, set, frozenset)
}
_FACTORY_NAMES = {kind: name for name, kind in _FACTORIES.items()}
_EMPTY: dict[Any, Any] = {}
_KEYS, _VALUES, _ITEMS = type(_EMPTY.keys()), type(_EMPTY.values()), type(_EMPTY.items())


def _write_dict(tag: str) -> Callable[[Encoder, Any], list[Any]]:
    return lambda out, value: [tag, out.items(value), out.items(value.values())]


def _write_items(tag: str) -> Callable[[Encoder, Any], list[Any]]:
    return lambda out, value: [tag, out.items(value)]


def _write_default(out: Encoder, value: defaultdict[Any, Any]) -> list[Any]:
    factory = value.default_factory
    name = _FACTORY_NAMES.get(factory) if type(factory) is type else None
    return ["dd", name or out.value(factory), out.items(value), out.items(value.values())]


def _write_deque(out: Encoder, value: deque[Any]) -> list[Any]:
    return ["dq", out.items(value), value.maxlen]


def _write_slice(out: Encoder, value: slice) -> list[Any]:
    return ["sl", out.items((value.start, value.stop, value.step))]


def _write_items_view(out: Encoder, value: Any) -> list[Any]:
    pairs = list(value)
    return ["vi", out.items(key for key, _ in pairs), out.items(item for _, item in pairs)]


WRITERS: dict[type, Callable[[Encoder, Any], list[Any]]] = {
    list: _write_items("l"),
    tuple: _write_items("t"),
    dict: _write_dict("d"),
    set: _write_items("S"),
    frozenset: _write_items("F"),
    bytearray: lambda out, value: ["b", bytes(value)],
    deque: _write_deque,
    OrderedDict: _write_dict("do"),
    Counter: _write_dict("dc"),
    defaultdict: _write_default,
    slice: _write_slice,
    _KEYS: _write_items("vk"),
    _VALUES: _write_items("vv"),
    _ITEMS: _write_items_view,
}


def _fill_list(into: Decoder, value: list[Any], form: list[Any]) -> list[Any]:
    (items,) = fields(form, 1)
    value[:] = into.items(items)
    return value


def _fill_set(into: Decoder, value: set[Any], form: list[Any]) -> set[Any]:
    (items,) = fields(form, 1)
    fresh = into.keys(items)
    value.clear()
    value.update(fresh)
    return value


def _fill_dict(into: Decoder, value: dict[Any, Any], form: list[Any]) -> dict[Any, Any]:
    pairs = _pairs(into, fields(form, 2))
    value.clear()
    # Not `update`: a Counter's would count.
    for key, item in pairs:
        value[key] = item
    return value


def _fill_default(into: Decoder, value: defaultdict[Any, Any], form: list[Any]) -> defaultdict[Any, Any]:
    name, keys, items = fields(form, 3)
    factory = _FACTORIES.get(name) if type(name) is str else into.value(name)
    if not callable(factory) and (factory is not None or name is not None):
        raise BadForm("A defaultdict cannot make its values by this.")
    _fill_dict(into, value, ["dd", keys, items])
    value.default_factory = factory
    return value


def _fill_deque(into: Decoder, value: deque[Any], form: list[Any]) -> deque[Any]:
    items, _ = fields(form, 2)
    fresh = into.items(items)
    value.clear()
    value.extend(fresh)
    return value


def _empty_deque(form: list[Any]) -> deque[Any]:
    _, most = fields(form, 2)
    return deque(maxlen=None if most is None else exact(most, int))


def alike(known: Any, fresh: Any) -> bool:
    """Whether one empty container can stand for another of its type."""
    return type(known) is not deque or known.maxlen == fresh.maxlen


def _pairs(into: Decoder, parts: list[Any]) -> Iterable[tuple[Any, Any]]:
    keys, items = into.keys(parts[0]), into.items(parts[1])
    if len(keys) != len(items):
        raise BadForm("A dict's keys and values do not match.")
    return zip(keys, items, strict=True)


def _frozen(into: Decoder, form: list[Any]) -> frozenset[Any]:
    (items,) = fields(form, 1)
    return frozenset(into.keys(items))


def _tuple(into: Decoder, form: list[Any]) -> tuple[Any, ...]:
    (items,) = fields(form, 1)
    return tuple(into.items(items))


def _bytearray(into: Decoder, form: list[Any]) -> bytearray:
    (data,) = fields(form, 1)
    return bytearray(exact(data, bytes))


def _slice(into: Decoder, form: list[Any]) -> slice:
    (items,) = fields(form, 1)
    start, stop, step = into.items(items)
    return slice(start, stop, step)


def _keys_view(into: Decoder, form: list[Any]) -> Any:
    (items,) = fields(form, 1)
    return dict.fromkeys(into.keys(items)).keys()


def _values_view(into: Decoder, form: list[Any]) -> Any:
    (items,) = fields(form, 1)
    return dict(enumerate(into.items(items))).values()


def _items_view(into: Decoder, form: list[Any]) -> Any:
    return dict(_pairs(into, fields(form, 2))).items()


# Made empty and filled after, so that these may hold themselves: the type, an empty one, how it is filled.
FILLED: dict[str, tuple[type, Callable[[list[Any]], Any], Callable[[Decoder, Any, list[Any]], Any]]] = {
    "l": (list, lambda form: [], _fill_list),
    "d": (dict, lambda form: {}, _fill_dict),
    "S": (set, lambda form: set(), _fill_set),
    "do": (OrderedDict, lambda form: OrderedDict(), _fill_dict),
    "dc": (Counter, lambda form: Counter(), _fill_dict),
    "dd": (defaultdict, lambda form: defaultdict(), _fill_default),
    "dq": (deque, _empty_deque, _fill_deque),
}
FILLED_TYPES = frozenset(kind for kind, _, _ in FILLED.values())
NUMBERED = FILLED_TYPES | {bytearray}
READERS: dict[str, Callable[[Decoder, list[Any]], Any]] = {
    "t": _tuple,
    "F": _frozen,
    "b": _bytearray,
    "sl": _slice,
    "vk": _keys_view,
    "vv": _values_view,
    "vi": _items_view,
}
