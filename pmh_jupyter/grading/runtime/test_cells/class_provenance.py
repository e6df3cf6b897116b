"""Decides where a class comes from: from Python or a library, or possibly from the student's code.

Attributes that a class can forge (`__module__`, `__class__`, `__eq__`) are ignored. Only facts from the interpreter count.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from importlib.machinery import FrozenImporter
from types import CodeType, FunctionType
from typing import Any

_TPFLAGS_HEAPTYPE, _TPFLAGS_IMMUTABLETYPE = 1 << 9, 1 << 8
_flags = type.__dict__["__flags__"].__get__
_mro = type.__dict__["__mro__"].__get__
_dict = type.__dict__["__dict__"].__get__
_subclasses = type.__subclasses__
_function_code = FunctionType.__dict__["__code__"].__get__
_type, _id, _isinstance, _set = type, id, isinstance, set


def find_all_classes() -> list[type]:
    """Return every class that exists in this process."""
    classes_by_id: dict[int, type] = {}
    pending_classes: list[type] = [object]
    while pending_classes:
        cls = pending_classes.pop()
        if _id(cls) not in classes_by_id:
            classes_by_id[_id(cls)] = cls
            pending_classes.extend(_subclasses(cls))
    return list(classes_by_id.values())


class _InitialClass:
    """A class, its name, and the methods that Python calls for operators, before the student's code ran."""

    def __init__(self, cls: type) -> None:
        self.cls, self.name = cls, _get_full_name(cls)
        self.methods = {name: _fingerprint_method(method) for name, method in _dict(cls).items() if name[:2] == "__"}


class ClassProvenance:
    """Recognizes classes that existed before the student's code ran, and classes of libraries that were imported since.

    classes: the classes that existed before. trusted_folders: folders with Python's and the installed packages' modules.

    `test_code_ids` may be filled with the ids of a test cell's code objects: methods with that code are the author's.
    """

    def __init__(self, classes: Iterable[type] = (), trusted_folders: Iterable[str] = ()) -> None:
        self._initial_classes = {_id(cls): _InitialClass(cls) for cls in classes}
        self._later_classes: dict[int, tuple[type, bool]] = {}
        self._codes_by_module: dict[str, set[CodeType]] = {}
        self._trusted_folders = tuple(f"{folder.rstrip('/')}/" for folder in trusted_folders)
        self.test_code_ids: set[int] = set()

    def is_trusted(self, cls: type) -> bool:
        """Return True for a class that the student's code cannot have defined."""
        if is_static(cls) or _id(cls) in self._initial_classes:
            return True
        if _id(cls) not in self._later_classes:
            self._later_classes[_id(cls)] = cls, self._is_library_class(cls)
        return self._later_classes[_id(cls)][1]

    def find_student_class(self, cls: type, names: Iterable[str]) -> type | None:
        """Return the student's class that provides one of these methods of `cls`. None if a library or the test provides all of them."""
        names = list(names)
        for name in names:
            bases: tuple[type, ...] = _mro(cls)
            for base in bases:
                attribute = _dict(base).get(name)
                if attribute is None:
                    continue
                if not self._is_from_library(base, name, attribute) and not self._is_test_function(attribute):
                    return base
                break
        return None

    def find_deciding_class(self, cls: type, names: Iterable[str]) -> type | None:
        """Return the first class other than `object` that provides one of these methods of `cls`."""
        names = list(names)
        return next((base for base in _mro(cls)[:-1] if any(name in _dict(base) for name in names)), None)

    def get_class_name(self, cls: type) -> str:
        """Return the name of a library's class. A class that was imported later cannot be renamed to one that existed before."""
        initial_class = self._initial_classes.get(_id(cls))
        return initial_class.name if initial_class else f"late:{_get_full_name(cls)}"

    def _is_test_function(self, function: object) -> bool:
        return _type(function) is FunctionType and _id(_function_code(function)) in self.test_code_ids

    def _is_from_library(self, cls: type, name: str, method: Any) -> bool:
        """Return True for a method of a trusted class that the student's code has not replaced."""
        if _id(cls) in self._initial_classes:
            return self._initial_classes[_id(cls)].methods.get(name) == _fingerprint_method(method)
        return self.is_trusted(cls) and (_type(method) is not FunctionType or self.matches_source(method))

    def _is_library_class(self, cls: type) -> bool:
        """Return True for a class that a library module contains, with each of its functions compiled from the module's file."""
        name = _dict(cls).get("__module__")
        module = sys.modules.get(name) if _type(name) is str else None
        if module is None or self.find_module_codes(module) is None:
            return False
        functions = [value for value in _dict(cls).values() if _type(value) is FunctionType]
        return all(self.matches_source(function) for function in functions) and any(
            value is cls for value in vars(module).values()
        )

    def matches_source(self, function: FunctionType) -> bool:
        """Return True for a function whose code is in the file of the library module that its globals belong to."""
        module = sys.modules.get(str(function.__globals__.get("__name__")))
        codes = self.find_module_codes(module)
        is_module_global = module is not None and vars(module) is function.__globals__
        return is_module_global and codes is not None and (not codes or _function_code(function) in codes)

    def find_module_codes(self, module: Any) -> set[CodeType] | None:
        """Return every code object of a library module; empty without source, None for a module outside the trusted folders."""
        spec: Any = getattr(module, "__spec__", None)
        name, origin = str(getattr(spec, "name", "")), str(getattr(spec, "origin", ""))
        is_frozen = origin == "frozen"  # a part of the interpreter, as `abc`
        if not is_frozen and not origin.startswith(self._trusted_folders):
            return None
        if name not in self._codes_by_module:
            try:
                loader: Any = FrozenImporter if is_frozen else spec.loader
                code = loader.get_code(name)
            except Exception:  # noqa: BLE001 - a loader may be anything
                code = None
            self._codes_by_module[name] = _set(find_nested_codes(code)) if _type(code) is CodeType else _set()
        return self._codes_by_module[name]


def _get_full_name(cls: type) -> str:
    """Return the module and the name of a class. Its metaclass is not asked."""
    return f"{type.__getattribute__(cls, '__module__')}.{type.__getattribute__(cls, '__qualname__')}"


def _fingerprint_method(method: object) -> tuple[int, int]:
    """Return the identity of a method and of its code. The class keeps both of them alive, unless they are replaced."""
    return _id(method), _id(_function_code(method)) if _type(method) is FunctionType else 0


def find_nested_codes(code: CodeType) -> list[CodeType]:
    """Return a code object and those nested in it."""
    codes = [code]
    for constant in code.co_consts:
        if _isinstance(constant, CodeType):
            codes.extend(find_nested_codes(constant))
    return codes


@cache
def find_library_folders() -> tuple[str, ...]:
    """Return the folders of the standard library and of the installed packages."""
    import site
    import sysconfig

    paths = sysconfig.get_paths()
    folders = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple(dict.fromkeys([*folders, *site.getsitepackages()]))


def is_static(cls: type) -> bool:
    """Return True for a class that is not defined in Python and cannot be changed."""
    return not _flags(cls) & _TPFLAGS_HEAPTYPE or bool(_flags(cls) & _TPFLAGS_IMMUTABLETYPE)
