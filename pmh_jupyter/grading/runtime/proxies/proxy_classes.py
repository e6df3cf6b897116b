"""Creates proxy classes from the descriptions that the other process sends: names, bases and operators, no code."""

from __future__ import annotations

import abc
import collections
import collections.abc
import enum
import types
from typing import Any

from pmh_jupyter.grading.runtime.proxies import importable_objects
from pmh_jupyter.grading.runtime.proxies.class_description import MUTABLE_CONTAINERS, VALUE_TYPES
from pmh_jupyter.grading.runtime.proxies.object_table import MAX_CLASSES
from pmh_jupyter.grading.runtime.proxies.operators import OPERATORS
from pmh_jupyter.grading.runtime.proxies.proxies import (
    FORWARDERS,
    CoroutineProxy,
    ObjectProxy,
    Proxy,
    ProxyClassInfo,
    ProxyMeta,
)
from pmh_jupyter.grading.runtime.proxies.remote_peer import RemotePeer
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError

__builtins__ = BUILTINS

# Exceptions of this package control the judge, so the student process must not raise one.
# It must not raise an exception that skips a test, either.
_TEST_FRAMEWORKS = ("unittest", "pytest", "_pytest")
_OWN_PACKAGE = __name__.partition(".")[0]
# Objects of these types are never sent by value, so their proxies may claim to be of the type.
_REFERENCE_ONLY_TYPES = (
    *(types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.GeneratorType, types.CoroutineType),
    *(types.AsyncGeneratorType, types.ModuleType, types.CodeType, types.FrameType, types.TracebackType, property),
    *(staticmethod, classmethod, map, filter, zip, enumerate, reversed, types.SimpleNamespace, types.MappingProxyType),
)
# Base classes that mark a kind of class. A proxy class may derive from them, but does not use their code.
_MARKER_CLASSES = (
    *(abc.ABC, enum.Enum, enum.IntEnum, enum.Flag, enum.IntFlag, enum.StrEnum),
    *(collections.UserDict, collections.UserList, collections.UserString),
    *(getattr(collections.abc, name) for name in collections.abc.__all__),
)
_AWAITABLE_CLASS_NAMES = frozenset(
    {"coroutine", "async_generator_asend", "async_generator_athrow", "anext_awaitable", "Future", "Task"}
)


class ProxyClasses:
    """The proxy classes of one peer, by the other side's number."""

    def __init__(self, peer: RemotePeer) -> None:
        self._peer = peer
        self._classes: dict[int, type] = {}

    def decode_class(self, encoded: Any) -> type:
        """Return the class that is named (`["import", module, path]`) or described (`["cls", number, description]`)."""
        if type(encoded) is not list or not encoded:
            raise WireFormatError("This is not a class.")
        if encoded[0] == "import" and len(encoded) == 3 and type(encoded[1]) is str and type(encoded[2]) is str:
            cls = importable_objects.find_allowed_type(encoded[1], encoded[2])
            if cls is None:
                raise WireFormatError("This class may not be named.")
            return cls
        if encoded[0] != "cls" or len(encoded) not in (2, 3) or type(encoded[1]) is not int:
            raise WireFormatError("This is not a class.")
        number = encoded[1]
        if number not in self._classes:
            if len(encoded) == 2 or len(self._classes) >= MAX_CLASSES:
                raise WireFormatError("A class is not described.")
            self._classes[number] = self._create_class(number, *_validate_description(encoded[2]))
        return self._classes[number]

    def _create_class(
        self, number: int, name: str, qualname: str, import_path: tuple[str, str] | None, *members: list[Any]
    ) -> type:
        bases, operators, removed_operators, has_plain_base = members
        parents = [self.decode_class(base) for base in bases]
        apparent_class = None
        if import_path is not None:
            apparent_class = importable_objects.find_allowed_type(*import_path)
            parents += _list_library_exception_bases(import_path)
            if apparent_class is not None and apparent_class not in _REFERENCE_ONLY_TYPES:
                apparent_class = None
        containers = [parent for parent in parents if parent in MUTABLE_CONTAINERS]
        methods = {f"__{operator}__": FORWARDERS[operator] for operator in operators}
        if containers:
            apparent_class = containers[0]
            methods = {
                method: FORWARDERS[method[2:-2]] for method in dir(apparent_class) if method[2:-2] in OPERATORS
            } | methods
        body: dict[str, Any] = {**methods, **{f"__{operator}__": None for operator in removed_operators}}
        if "__eq__" in body and "__hash__" not in body:
            body["__hash__"] = None
        body |= {
            "__module__": "__main__",
            "__qualname__": qualname,
            "_pmh_class": ProxyClassInfo(self._peer, number, apparent_class),
            "_pmh_marker_class": _find_marker_class(import_path),
            "_pmh_has_plain_base": has_plain_base,
            "_pmh_is_own": import_path is None,
            "_pmh_operators": frozenset(operators),
            "_pmh_library": None if import_path is None or apparent_class else import_path,
        }
        is_awaitable = import_path is not None and name in _AWAITABLE_CLASS_NAMES
        if is_awaitable:
            # It would run here step by step, instead of on the event loop of the other process.
            body.pop("__await__", None)
        return _build_class(name, parents, CoroutineProxy if is_awaitable else ObjectProxy, body)


def _find_marker_class(import_path: tuple[str, str] | None) -> type | None:
    library_class = importable_objects.find_loaded_object(*import_path) if import_path is not None else None
    return library_class if library_class in _MARKER_CLASSES else None


def _validate_description(description: Any) -> tuple[Any, ...]:
    """Return the fields of an untrusted description. Raises `WireFormatError` if one has the wrong type."""
    if type(description) is not list or len(description) != 7:
        raise WireFormatError("The description of a class is malformed.")
    name, qualname, import_path, bases, operators, removed_operators, has_plain_base = description
    has_valid_names = type(name) is str and type(qualname) is str and "\0" not in name
    has_valid_import_path = import_path is None or (
        type(import_path) is list and [type(part) for part in import_path] == [str, str]
    )
    has_valid_lists = all(type(part) is list and len(part) < 1000 for part in (bases, operators, removed_operators))
    if not (has_valid_names and has_valid_import_path and has_valid_lists) or not OPERATORS.issuperset(
        _validate_names([*operators, *removed_operators])
    ):
        raise WireFormatError("The description of a class is malformed.")
    import_path = tuple(import_path) if import_path else None
    return name, qualname, import_path, bases, operators, removed_operators, has_plain_base is True


def _validate_names(names: list[Any]) -> list[str]:
    if any(type(name) is not str for name in names):
        raise WireFormatError("The description of a class is malformed.")
    return names


def _list_library_exception_bases(import_path: tuple[str, str]) -> list[type]:
    """Return the library's exception class, if it is loaded here, so that `except` matches. None of its code runs."""
    library_class = importable_objects.find_loaded_object(*import_path)
    is_own = import_path[0].partition(".")[0] in (_OWN_PACKAGE, *_TEST_FRAMEWORKS)
    if (
        isinstance(library_class, type)
        and issubclass(library_class, Exception)
        and not is_own
        and library_class.__module__ == import_path[0]
    ):
        return [library_class]
    return []


def _build_class(name: str, parents: list[type], proxy_base: type[Proxy], body: dict[str, Any]) -> type:
    """Create the class with as many of these parents as possible: proxy classes, exceptions and plain types."""
    proxy_bases: list[type] = [parent for parent in parents if type(parent) is ProxyMeta]
    real_bases = [
        parent for parent in parents if issubclass(parent, (*VALUE_TYPES, BaseException)) and parent not in proxy_bases
    ]
    # Only the most derived exceptions: the exception of a library already derives from its built-in base.
    real_bases = [
        base for base in real_bases if not any(base is not other and issubclass(other, base) for other in real_bases)
    ]
    leading_bases: list[type] = proxy_bases if proxy_bases and proxy_base is ObjectProxy else [*proxy_bases, proxy_base]
    for body_changes in ({}, {"_pmh_marker_class": None}):
        for bases in ((*leading_bases, *real_bases), (*proxy_bases, proxy_base), (proxy_base,)):
            try:
                return ProxyMeta(name, bases, body | body_changes)
            except TypeError:  # there is no layout or method resolution order with all of them
                continue
    raise WireFormatError("A class cannot be created.")
