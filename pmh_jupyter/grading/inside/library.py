"""What the modules of a library are before the student's code runs, and putting that back.

Shallow and by identity: the functions, classes, modules and floats that a module's names stand for; what its classes have;
keyword defaults. A function's code cannot be exchanged while the process is watched (see `watch`).
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Collection, Iterator
from itertools import repeat
from operator import is_
from types import FunctionType, ModuleType
from typing import Any

_type, _dict, _all, _map, _callable, _setattr, _delattr, _isinstance = (
    type, dict, all, map, callable, setattr, delattr, isinstance,
)  # fmt: skip
_class_dict = type.__dict__["__dict__"].__get__
_flags = type.__dict__["__flags__"].__get__
_kwdefaults = FunctionType.__dict__["__kwdefaults__"].__get__
_IMMUTABLE, _HEAP = 1 << 8, 1 << 9
_BUILTIN_NAMES = frozenset(name for name in vars(builtins) if not name.startswith("_"))
# Set by an interactive session, or by showing a value.
_FREE = frozenset({"_", "display", "get_ipython", "__IPYTHON__"})
_ABSENT = object()


class Package:
    """One module, with all of its submodules that are loaded."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.modules = [_Names(module) for name, module in list(sys.modules.items()) if _belongs(name, module, root)]
        self.entries = {name: module for name, module in sys.modules.items() if _belongs(name, module, root)}
        classes: dict[int, type] = {}
        self.defaults: list[tuple[FunctionType, dict[str, Any]]] = []
        for names in self.modules:
            for value in names.values:
                if _isinstance(value, _type) and f"{value.__module__}.".startswith(f"{root}."):
                    classes[id(value)] = value
                elif _type(value) is FunctionType and _kwdefaults(value):
                    self.defaults.append((value, _dict(_kwdefaults(value))))
        self.classes = [_Class(cls) for cls in classes.values() if _flags(cls) & _HEAP and not _flags(cls) & _IMMUTABLE]

    def put_back(self) -> Iterator[str]:
        """Puts back, and tells the name of what had been changed."""
        for name, module in self.entries.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module
                yield f"sys.modules[{name!r}]"
        for names in self.modules:
            yield from names.put_back()
        for cls in self.classes:
            yield from cls.put_back()
        for function, defaults in self.defaults:
            live = _kwdefaults(function)
            if live is None or not _all(_map(is_, _map(live.get, defaults), defaults.values())):
                function.__kwdefaults__ = _dict(defaults)
                yield f"{function.__module__}.{function.__qualname__}"


class _Names:
    """One module's names."""

    def __init__(self, module: ModuleType) -> None:
        self.name = module.__name__
        self.live = vars(module)
        kept = {name: value for name, value in self.live.items() if _kept(value)}
        self.names, self.values = tuple(kept), tuple(kept.values())
        self.shadowing = frozenset(_BUILTIN_NAMES.difference(self.live))

    def put_back(self) -> Iterator[str]:
        live = self.live
        if not _all(_map(is_, _map(live.get, self.names, repeat(_ABSENT)), self.values)):
            for name, value in zip(self.names, self.values, strict=True):
                if live.get(name, _ABSENT) is not value:
                    live[name] = value
                    yield f"{self.name}.{name}"
        # A builtin's name in a module hides the builtin from the module's own functions.
        for name in self.shadowing & live.keys():
            del live[name]
            yield f"{self.name}.{name}"


class _Class:
    """One class's attributes."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.live = _class_dict(cls)
        self.names, self.values = tuple(self.live), tuple(self.live.values())

    def put_back(self) -> Iterator[str]:
        live = self.live
        if not _all(_map(is_, _map(live.get, self.names, repeat(_ABSENT)), self.values)):
            for name, value in zip(self.names, self.values, strict=True):
                if live.get(name, _ABSENT) is not value and _kept(value):
                    _type.__setattr__(self.cls, name, value)
                    yield f"{self.cls.__module__}.{self.cls.__name__}.{name}"
        if len(live) > len(self.names):
            for name in live.keys() - set(self.names):
                if _type(live[name]) is FunctionType and name[:2] == "__":
                    _type.__delattr__(self.cls, name)
                    yield f"{self.cls.__module__}.{self.cls.__name__}.{name}"


class Builtins:
    """The builtins, every one of them."""

    def __init__(self) -> None:
        self.live = vars(builtins)
        kept = {name: value for name, value in self.live.items() if name not in _FREE}
        self.names, self.values = tuple(kept), tuple(kept.values())

    def put_back(self) -> Iterator[str]:
        live = self.live
        if _all(_map(is_, _map(live.get, self.names, repeat(_ABSENT)), self.values)):
            return
        for name, value in zip(self.names, self.values, strict=True):
            if live.get(name, _ABSENT) is not value:
                live[name] = value
                yield name


class Tables:
    """Tables of functions that modules of Python look into (how things are copied)."""

    PLACES = (("copy", "_deepcopy_dispatch"), ("copy", "_copy_dispatch"), ("copyreg", "dispatch_table"))

    def __init__(self) -> None:
        found = [
            (f"{name}.{table}", vars(sys.modules[name])[table]) for name, table in self.PLACES if name in sys.modules
        ]
        self.tables = [(name, table, _dict(table)) for name, table in found]

    def put_back(self) -> Iterator[str]:
        for name, live, saved in self.tables:
            if not _all(_map(is_, _map(live.get, saved), saved.values())) or _plain_keys(live.keys() - saved.keys()):
                live.clear()
                live.update(saved)
                yield name


def _plain_keys(added: Collection[Any]) -> bool:
    """A class of Python's own among them: a library registers its own only."""
    return any(_isinstance(key, _type) and not _flags(key) & _HEAP for key in added)


def _kept(value: object) -> bool:
    return (
        _callable(value)
        or _type(value) is float
        or _isinstance(value, ModuleType | property | staticmethod | classmethod)
    )


def _belongs(name: str, module: object, root: str) -> bool:
    return _type(module) is ModuleType and (name == root or name.startswith(f"{root}."))
