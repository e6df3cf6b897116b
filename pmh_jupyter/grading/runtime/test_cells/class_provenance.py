"""Whose class is it: Python's and a library's, or one that the student's code may have written.

What a class says of itself (`__module__`, `__class__`, `__eq__`) is never asked; only what the interpreter knows is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
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
    """Every class that lives now."""
    classes_by_id: dict[int, type] = {}
    pending: list[type] = [object]
    while pending:
        cls = pending.pop()
        if _id(cls) not in classes_by_id:
            classes_by_id[_id(cls)] = cls
            pending.extend(_subclasses(cls))
    return list(classes_by_id.values())


class ClassProvenance:
    """Knows the classes that were there before the student's code, and those of libraries that were imported since.

    `trusted` are folders of the library; what lies elsewhere is the student's. `code` may hold code objects of the test cell:
    what they define is the author's.
    """

    def __init__(self, classes: Iterable[type] = (), trusted_folders: Iterable[str] = ()) -> None:
        self._initial_classes = {_id(cls): cls for cls in classes}
        self._later_classes: dict[int, tuple[type, bool]] = {}
        self._codes_by_module: dict[str, set[CodeType]] = {}
        self._trusted_folders = tuple(f"{folder.rstrip('/')}/" for folder in trusted_folders)
        self.test_code_ids: set[int] = set()

    def is_trusted(self, cls: type) -> bool:
        """True for a class that the student's code cannot have written."""
        if (
            not _flags(cls) & _TPFLAGS_HEAPTYPE
            or _flags(cls) & _TPFLAGS_IMMUTABLETYPE
            or _id(cls) in self._initial_classes
        ):
            return True
        if _id(cls) not in self._later_classes:
            self._later_classes[_id(cls)] = cls, self._is_library_class(cls)
        return self._later_classes[_id(cls)][1]

    def find_student_class(self, cls: type, names: Iterable[str]) -> type | None:
        """The student's class that says what one of these methods of `cls` does; None where it is a library's or the test's."""
        names = list(names)
        for name in names:
            bases: tuple[type, ...] = _mro(cls)
            for base in bases:
                attribute = _dict(base).get(name)
                if attribute is None:
                    continue
                if not self.is_trusted(base) and not self._is_test_function(attribute):
                    return base
                break
        return None

    def _is_test_function(self, function: object) -> bool:
        return _type(function) is FunctionType and _id(_function_code(function)) in self.test_code_ids

    def _is_library_class(self, cls: type) -> bool:
        """A class found under its own name in a module of the library, each of its functions as the module's file has it."""
        name = _dict(cls).get("__module__")
        module = sys.modules.get(name) if _type(name) is str else None
        if module is None or self.find_module_codes(module) is None:
            return False
        functions = [value for value in _dict(cls).values() if _type(value) is FunctionType]
        return all(self.matches_source(function) for function in functions) and any(
            value is cls for value in vars(module).values()
        )

    def matches_source(self, function: FunctionType) -> bool:
        """True for a function that has the code of the library's file that it is from (a decorator's may be another's)."""
        module = sys.modules.get(str(function.__globals__.get("__name__")))
        codes = self.find_module_codes(module)
        is_module_global = module is not None and vars(module) is function.__globals__
        return is_module_global and codes is not None and (not codes or _function_code(function) in codes)

    def find_module_codes(self, module: Any) -> set[CodeType] | None:
        """Every code object of a library module's file; None for a module that is not the library's or has no source."""
        spec: Any = getattr(module, "__spec__", None)
        name, origin = str(getattr(spec, "name", "")), str(getattr(spec, "origin", ""))
        if not origin.startswith(self._trusted_folders):
            return None
        if name not in self._codes_by_module:
            try:
                code = spec.loader.get_code(name)
            except Exception:  # noqa: BLE001 - a loader may be anything
                code = None
            self._codes_by_module[name] = _set(find_nested_codes(code)) if _type(code) is CodeType else _set()
        return self._codes_by_module[name]


def find_nested_codes(code: CodeType) -> list[CodeType]:
    """A code object and all that stand in it."""
    codes = [code]
    for constant in code.co_consts:
        if _isinstance(constant, CodeType):
            codes.extend(find_nested_codes(constant))
    return codes


@cache
def find_library_folders() -> tuple[str, ...]:
    """Where Python and the installed packages lie."""
    import site
    import sysconfig

    paths = sysconfig.get_paths()
    folders = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple(dict.fromkeys([*folders, *site.getsitepackages()]))


def is_plain_data(value: Any) -> bool:
    """A value whose class, exactly, is one of Python's own data types."""
    return _type(value) in _PLAIN_DATA_TYPES


_PLAIN_DATA_TYPES = frozenset(
    {type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range}
)
