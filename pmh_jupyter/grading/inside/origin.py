"""Whose class is it: Python's and a library's, or one that the student's code may have written.

What a class says of itself (`__module__`, `__class__`, `__eq__`) is never asked; only what the interpreter knows is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from types import CodeType, FunctionType
from typing import Any

_HEAP, _IMMUTABLE = 1 << 9, 1 << 8
_flags = type.__dict__["__flags__"].__get__
_mro = type.__dict__["__mro__"].__get__
_dict = type.__dict__["__dict__"].__get__
_subclasses = type.__subclasses__
_function_code = FunctionType.__dict__["__code__"].__get__
_type, _id, _isinstance, _set = type, id, isinstance, set


def all_classes() -> list[type]:
    """Every class that lives now."""
    found: dict[int, type] = {}
    waiting: list[type] = [object]
    while waiting:
        cls = waiting.pop()
        if _id(cls) not in found:
            found[_id(cls)] = cls
            waiting.extend(_subclasses(cls))
    return list(found.values())


class Origins:
    """Knows the classes that were there before the student's code, and those of libraries that were imported since.

    `trusted` are folders of the library; what lies elsewhere is the student's. `code` may hold code objects of the test cell:
    what they define is the author's.
    """

    def __init__(self, classes: Iterable[type] = (), trusted: Iterable[str] = ()) -> None:
        self._known = {_id(cls): cls for cls in classes}
        self._late: dict[int, tuple[type, bool]] = {}
        self._codes: dict[str, set[CodeType]] = {}
        self._trusted = tuple(f"{folder.rstrip('/')}/" for folder in trusted)
        self.code: set[int] = set()

    def knows(self, cls: type) -> bool:
        """True for a class that the student's code cannot have written."""
        if not _flags(cls) & _HEAP or _flags(cls) & _IMMUTABLE or _id(cls) in self._known:
            return True
        if _id(cls) not in self._late:
            self._late[_id(cls)] = cls, self._is_imported(cls)
        return self._late[_id(cls)][1]

    def method(self, cls: type, names: Iterable[str]) -> type | None:
        """The student's class that says what one of these methods of `cls` does; None where it is a library's or the test's."""
        names = list(names)
        for name in names:
            bases: tuple[type, ...] = _mro(cls)
            for base in bases:
                found = _dict(base).get(name)
                if found is None:
                    continue
                if not self.knows(base) and not self._of_test(found):
                    return base
                break
        return None

    def _of_test(self, function: object) -> bool:
        return _type(function) is FunctionType and _id(_function_code(function)) in self.code

    def _is_imported(self, cls: type) -> bool:
        """A class found under its own name in a module of the library, each of its functions as the module's file has it."""
        name = _dict(cls).get("__module__")
        module = sys.modules.get(name) if _type(name) is str else None
        if module is None or self.codes(module) is None:
            return False
        functions = [value for value in _dict(cls).values() if _type(value) is FunctionType]
        return all(self.as_written(function) for function in functions) and any(
            value is cls for value in vars(module).values()
        )

    def as_written(self, function: FunctionType) -> bool:
        """True for a function that has the code of the library's file that it is from (a decorator's may be another's)."""
        home = sys.modules.get(str(function.__globals__.get("__name__")))
        codes = self.codes(home)
        at_home = home is not None and vars(home) is function.__globals__
        return at_home and codes is not None and (not codes or _function_code(function) in codes)

    def codes(self, module: Any) -> set[CodeType] | None:
        """Every code object of a library module's file; None for a module that is not the library's or has no source."""
        spec: Any = getattr(module, "__spec__", None)
        name, origin = str(getattr(spec, "name", "")), str(getattr(spec, "origin", ""))
        if not origin.startswith(self._trusted):
            return None
        if name not in self._codes:
            try:
                code = spec.loader.get_code(name)
            except Exception:  # noqa: BLE001 - a loader may be anything
                code = None
            self._codes[name] = _set(nested(code)) if _type(code) is CodeType else _set()
        return self._codes[name]


def nested(code: CodeType) -> list[CodeType]:
    """A code object and all that stand in it."""
    found = [code]
    for constant in code.co_consts:
        if _isinstance(constant, CodeType):
            found.extend(nested(constant))
    return found


@cache
def library_folders() -> tuple[str, ...]:
    """Where Python and the installed packages lie."""
    import site
    import sysconfig

    paths = sysconfig.get_paths()
    folders = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple(dict.fromkeys([*folders, *site.getsitepackages()]))


def plain(value: Any) -> bool:
    """A value whose class, exactly, is one of Python's own data types."""
    return _type(value) in _PLAIN


_PLAIN = frozenset(
    {type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range}
)
