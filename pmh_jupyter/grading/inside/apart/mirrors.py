"""Classes of the other side, made anew here from what it says of them: their names, bases and operators, no code."""

from __future__ import annotations

import abc
import collections
import collections.abc
import enum
import types
import typing
from typing import Any

from . import library
from .describe import VALUES
from .forms import BadForm
from .handles import MOST_CLASSES
from .operators import OPERATORS
from .own import BUILTINS
from .proxies import FORWARDERS, CoroutineProxy, MirrorType, Proxy

__builtins__ = BUILTINS

_CONTAINERS = (list, dict, set, bytearray)
# Our own errors steer the judge; nobody over there may raise one.
_OURS = __name__.rpartition(".apart.")[0].partition(".")[0]
# Types whose objects never cross by value: their stand-ins may be taken for them.
_STAYING = (
    *(types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.GeneratorType, types.CoroutineType),
    *(types.AsyncGeneratorType, types.ModuleType, types.CodeType, types.FrameType, types.TracebackType, property),
    *(staticmethod, classmethod, map, filter, zip, enumerate, reversed, types.SimpleNamespace, types.MappingProxyType),
)
# Classes of Python's that say what kind of class derives from them; a mirrored class may do so too. Of their code nothing is used.
_KINDS = (
    *(abc.ABC, enum.Enum, enum.IntEnum, enum.Flag, enum.IntFlag, enum.StrEnum, typing.Generic),
    *(collections.UserDict, collections.UserList, collections.UserString),
    *(getattr(collections.abc, name) for name in collections.abc.__all__),
)
_AWAITED = frozenset(
    {"coroutine", "async_generator_asend", "async_generator_athrow", "anext_awaitable", "Future", "Task"}
)


class Mirrors:
    """The mirrored classes of one peer, by the other side's number."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._classes: dict[int, type] = {}

    def read(self, form: Any) -> type:
        """The class that a form names (`["lib", module, path]`) or describes (`["cls", number, description]`)."""
        if type(form) is not list or not form:
            raise BadForm("This is no class.")
        if form[0] == "lib" and len(form) == 3 and type(form[1]) is str and type(form[2]) is str:
            kind = library.known_type(form[1], form[2])
            if kind is None:
                raise BadForm("A class is named that may not be.")
            return kind
        if form[0] != "cls" or len(form) not in (2, 3) or type(form[1]) is not int:
            raise BadForm("This is no class.")
        number = form[1]
        if number not in self._classes:
            if len(form) == 2 or len(self._classes) >= MOST_CLASSES:
                raise BadForm("A class is not described.")
            self._classes[number] = self._make(number, *_checked(form[2]))
        return self._classes[number]

    def _make(self, number: int, name: str, path: str, reference: tuple[str, str] | None, *rest: list[Any]) -> type:
        bases, has, lacks = rest
        parents = [self.read(base) for base in bases]
        shown = None
        if reference is not None:
            shown = library.known_type(*reference)
            parents += _library_parents(reference)
            if shown is not None and shown not in _STAYING:
                shown = None
        containers = [parent for parent in parents if parent in _CONTAINERS]
        names = {f"__{operator}__": FORWARDERS[operator] for operator in has}
        if containers:
            shown = containers[0]
            names = {method: FORWARDERS[method[2:-2]] for method in dir(shown) if method[2:-2] in OPERATORS} | names
        body: dict[str, Any] = {**names, **{f"__{operator}__": None for operator in lacks}}
        if "__eq__" in body and "__hash__" not in body:
            body["__hash__"] = None
        body |= {
            "__module__": "__main__",
            "__qualname__": path,
            "_pmh_class": (self._peer, number, shown),
            "_pmh_kind": _kind_of(reference),
            "_pmh_library": None if reference is None or shown else reference,
        }
        awaited = reference is not None and name in _AWAITED
        return _build(name, parents, CoroutineProxy if awaited else Proxy, body)


def _kind_of(reference: tuple[str, str] | None) -> type | None:
    found = library.find_loaded(*reference) if reference is not None else None
    return found if found in _KINDS else None


def _checked(description: Any) -> tuple[Any, ...]:
    """The fields of a description, each of the right type."""
    if type(description) is not list or len(description) != 6:
        raise BadForm("A class is described wrongly.")
    name, path, reference, bases, has, lacks = description
    texts = type(name) is str and type(path) is str and "\0" not in name
    named = reference is None or (type(reference) is list and [type(part) for part in reference] == [str, str])
    lists = all(type(part) is list and len(part) < 1000 for part in (bases, has, lacks))
    if not (texts and named and lists) or not OPERATORS.issuperset(_texts([*has, *lacks])):
        raise BadForm("A class is described wrongly.")
    return name, path, tuple(reference) if reference else None, bases, has, lacks


def _texts(names: list[Any]) -> list[str]:
    if any(type(name) is not str for name in names):
        raise BadForm("A class is described wrongly.")
    return names


def _library_parents(reference: tuple[str, str]) -> list[type]:
    """A library's exception, if it is loaded here: so `except` finds it. Nothing of its code runs."""
    found = library.find_loaded(*reference)
    ours = reference[0].partition(".")[0] in (_OURS, "pmh_jupyter", "inside")
    if isinstance(found, type) and issubclass(found, Exception) and not ours and found.__module__ == reference[0]:
        return [found]
    return []


def _build(name: str, parents: list[type], proxy: type[Proxy], body: dict[str, Any]) -> type:
    """The class with these parents as far as they can be had: mirrors, exceptions, and types that hold a value."""
    mirrors: list[type] = [parent for parent in parents if type(parent) is MirrorType]
    real = [parent for parent in parents if issubclass(parent, (*VALUES, BaseException)) and parent not in mirrors]
    # An exception's nearest parent comes first: a library's exception is also what Python's own it derives from.
    real = [one for one in real if not any(one is not other and issubclass(other, one) for other in real)]
    first: list[type] = mirrors if mirrors and proxy is Proxy else [*mirrors, proxy]
    for changes in ({}, {"_pmh_kind": None}):
        for bases in ((*first, *real), (*mirrors, proxy), (proxy,)):
            try:
                return MirrorType(name, bases, body | changes)
            except TypeError:  # no layout or order holds them all
                continue
    raise BadForm("A class cannot be made.")


def value_base(kind: type) -> type | None:
    """The plain type whose value a stand-in of this class holds, if there is one."""
    return next((base for base in type.__getattribute__(kind, "__mro__") if base in VALUES), None)


def exception_base(kind: type) -> type[BaseException] | None:
    """Python's own exception from which this class derives, if there is one."""
    for base in type.__getattribute__(kind, "__mro__"):
        if isinstance(base, type) and issubclass(base, BaseException) and BUILTINS.get(base.__name__) is base:
            return base
    return None


from .peer import Peer  # RENAME-ONLY
