"""Saves the modules of a library before the student's code runs, and restores them.

A snapshot is shallow and compares by identity. It covers functions, classes, modules and floats that a module's names refer to, the
attributes of its classes, and keyword defaults. The code of a function needs no snapshot: `policies.student_policy` prevents its
replacement.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import repeat
from operator import is_
from types import FunctionType, ModuleType
from typing import Any

from pmh_jupyter.grading.runtime.test_cells.class_provenance import is_static

_type, _dict, _all, _map, _callable, _isinstance, _id = (
    type, dict, all, map, callable, isinstance, id,
)  # fmt: skip
_class_dict = type.__dict__["__dict__"].__get__
_flags = type.__dict__["__flags__"].__get__
_kwdefaults = FunctionType.__dict__["__kwdefaults__"].__get__
_TPFLAGS_HEAPTYPE = 1 << 9
_BUILTIN_NAMES = frozenset(name for name in vars(builtins) if not name.startswith("_"))
# An interactive session sets these, or displaying a value does.
_UNGUARDED_BUILTINS = frozenset({"_", "display", "get_ipython", "__IPYTHON__"})
_ABSENT = object()


class PackageSnapshot:
    """One module with those of its submodules that are loaded."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.modules = [
            _ModuleSnapshot(module) for name, module in list(sys.modules.items()) if _belongs_to(name, module, root)
        ]
        self.sys_modules_entries = {
            name: module for name, module in sys.modules.items() if _belongs_to(name, module, root)
        }
        classes: dict[int, type] = {}
        self.keyword_defaults: list[tuple[FunctionType, dict[str, Any]]] = []
        for module_snapshot in self.modules:
            for value in module_snapshot.values:
                if _isinstance(value, _type) and f"{value.__module__}.".startswith(f"{root}."):
                    classes[id(value)] = value
                elif _type(value) is FunctionType and _kwdefaults(value):
                    self.keyword_defaults.append((value, _dict(_kwdefaults(value))))
        self.classes = [_ClassSnapshot(cls) for cls in classes.values() if not is_static(cls)]

    def restore(self) -> Iterator[str]:
        """Restore everything. Yields the name of each object that had changed."""
        for name, original in self.sys_modules_entries.items():
            if sys.modules.get(name) is not original:
                sys.modules[name] = original
                yield f"sys.modules[{name!r}]"
        for module_snapshot in self.modules:
            yield from module_snapshot.restore()
        for class_snapshot in self.classes:
            yield from class_snapshot.restore()
        for function, defaults in self.keyword_defaults:
            current = _kwdefaults(function)
            if current is None or not _all(_map(is_, _map(current.get, defaults), defaults.values())):
                function.__kwdefaults__ = _dict(defaults)
                yield f"{function.__module__}.{function.__qualname__}"


class _NameSnapshot:
    """Names of a namespace, with their values."""

    def __init__(self, live: Mapping[str, Any], is_included: Callable[[str, Any], bool]) -> None:
        self.live = live
        included_values = {name: value for name, value in live.items() if is_included(name, value)}
        self.names, self.values = tuple(included_values), tuple(included_values.values())

    def find_changed(self) -> Iterator[tuple[str, Any]]:
        """Return the names that have other values, with the original values."""
        live = self.live
        if not _all(_map(is_, _map(live.get, self.names, repeat(_ABSENT)), self.values)):
            for name, value in zip(self.names, self.values, strict=True):
                if live.get(name, _ABSENT) is not value:
                    yield name, value


class _ModuleSnapshot(_NameSnapshot):
    """The names of one module."""

    def __init__(self, module: ModuleType) -> None:
        self.name, self.namespace = module.__name__, vars(module)
        super().__init__(self.namespace, lambda name, value: _is_guarded(value))
        self.unbound_builtins = frozenset(_BUILTIN_NAMES.difference(self.live))

    def restore(self) -> Iterator[str]:
        live = self.namespace
        for name, value in self.find_changed():
            live[name] = value
            yield f"{self.name}.{name}"
        # A name of a builtin in a module hides the builtin from the module's functions.
        for name in self.unbound_builtins & live.keys():
            del live[name]
            yield f"{self.name}.{name}"


class _ClassSnapshot(_NameSnapshot):
    """The attributes of one class."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        super().__init__(_class_dict(cls), lambda name, value: True)

    def restore(self) -> Iterator[str]:
        live = self.live
        for name, value in self.find_changed():
            if _is_guarded(value):
                _type.__setattr__(self.cls, name, value)
                yield f"{self.cls.__module__}.{self.cls.__name__}.{name}"
        if len(live) > len(self.names):
            for name in live.keys() - set(self.names):
                if _type(live[name]) is FunctionType and name[:2] == "__":
                    _type.__delattr__(self.cls, name)
                    yield f"{self.cls.__module__}.{self.cls.__name__}.{name}"


class BuiltinsSnapshot(_NameSnapshot):
    """All builtins."""

    def __init__(self) -> None:
        self.namespace = vars(builtins)
        super().__init__(self.namespace, lambda name, value: name not in _UNGUARDED_BUILTINS)

    def restore(self) -> Iterator[str]:
        for name, value in self.find_changed():
            self.namespace[name] = value
            yield name


class DispatchTablesSnapshot:
    """Tables of functions that modules of Python use, for example for copying objects. Libraries add entries for their classes.

    classes: the classes that exist before the student's code. An entry added later for a built-in class among them counts as tampering.
    """

    TABLE_NAMES = (("copy", "_deepcopy_dispatch"), ("copy", "_copy_dispatch"), ("copyreg", "dispatch_table"))

    def __init__(self, classes: Iterable[type]) -> None:
        self.builtin_classes = {_id(cls): cls for cls in classes if not _flags(cls) & _TPFLAGS_HEAPTYPE}
        live_tables = [
            (f"{name}.{table}", vars(sys.modules[name])[table])
            for name, table in self.TABLE_NAMES
            if name in sys.modules
        ]
        self.tables = [(name, table, _dict(table)) for name, table in live_tables]

    def restore(self) -> Iterator[str]:
        for name, live, saved in self.tables:
            is_changed = not _all(_map(is_, _map(live.get, saved), saved.values()))
            if is_changed or not self.builtin_classes.keys().isdisjoint(_map(_id, live.keys() - saved.keys())):
                live.clear()
                live.update(saved)
                yield name


def _is_guarded(value: object) -> bool:
    return (
        _callable(value)
        or _type(value) is float
        or _isinstance(value, ModuleType | property | staticmethod | classmethod)
    )


def _belongs_to(name: str, module: object, root: str) -> bool:
    return _type(module) is ModuleType and (name == root or name.startswith(f"{root}."))
