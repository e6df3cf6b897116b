"""Decides whether a statement of a test can depend on certain values, because it reaches one of them through the names that it reads.

A statement reaches values through names, through the values of these names (containers, objects, functions with their globals), and through
the student process, which is not inspected here. When in doubt, the answer is yes.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from pmh_jupyter.grading.runtime.proxies.proxies import is_proxy
from pmh_jupyter.grading.runtime.separate_process.cells.lesson_modules import LessonModules
from pmh_jupyter.grading.runtime.test_cells.class_provenance import find_nested_codes
from pmh_jupyter.grading.runtime.test_cells.code_filenames import is_release_filename

MAX_OBJECTS = 20_000
# With these functions, code reads names that it does not contain.
_DYNAMIC_NAMES = frozenset("eval exec globals locals vars get_ipython".split())
_LEAF_TYPES = frozenset({int, float, complex, bool, str, bytes, type(None), CodeType, BuiltinFunctionType})


def reads_any_value(code: CodeType, namespaces: Iterable[Mapping[str, Any]], values: Iterable[Any]) -> bool:
    """Return whether code can reach one of these mutable values through the names that it reads.

    namespaces: where the names of the code and of functions are looked up, besides the globals of the functions. They are dicts, whose
    methods are not called.
    """
    return _Search(tuple(namespaces), tuple(values)).can_reach_value(code)


class _DoubtfulValue(Exception):
    """The references of a value are unknown, or too many."""


class _Search:
    """A search for values among all values that a piece of code can reach."""

    def __init__(self, namespaces: tuple[Any, ...], values: tuple[Any, ...]) -> None:
        self._namespaces = namespaces
        self._wanted_ids = set(map(id, values))
        self._arrays = [value for value in values if _is_array(value)]
        self._visited_ids: set[int] = set()

    def can_reach_value(self, code: CodeType) -> bool:
        try:
            pending = list(self._iter_named_values(code, {}))
            while pending:
                value = pending.pop()
                if type(value) in _LEAF_TYPES or id(value) in self._visited_ids:
                    continue
                if self._is_wanted(value):
                    return True
                self._visited_ids.add(id(value))
                pending.extend(self._iter_referents(value))
                if len(pending) + len(self._visited_ids) > MAX_OBJECTS:
                    return True
        except _DoubtfulValue:
            return True
        return False

    def _is_wanted(self, value: Any) -> bool:
        if id(value) in self._wanted_ids:
            return True
        # An array may be a view of another one.
        return _is_array(value) and any(sys.modules["numpy"].may_share_memory(value, other) for other in self._arrays)

    def _iter_named_values(self, code: CodeType, function_globals: Any) -> Iterator[Any]:
        """Yield the values of the names that a piece of code contains, names of attributes included."""
        names = {name for nested_code in find_nested_codes(code) for name in nested_code.co_names}
        if not names.isdisjoint(_DYNAMIC_NAMES):
            raise _DoubtfulValue
        for namespace in (*self._namespaces, function_globals):
            yield from (dict.get(namespace, name) for name in names)

    def _iter_referents(self, value: Any) -> Iterable[Any]:
        kind = type(value)
        if is_proxy(value):
            return ()
        if kind is FunctionType:
            return self._iter_function_values(value)
        if kind is ModuleType:
            return vars(value).values() if _is_lesson_module(value) else ()
        if isinstance(value, type):
            return (*vars(value).values(), *value.__bases__) if _is_release_class(value) else ()
        if _is_array(value):
            return _list_elements(value)
        return gc.get_referents(value)

    def _iter_function_values(self, function: FunctionType) -> Iterator[Any]:
        yield from (function.__closure__, function.__defaults__, function.__kwdefaults__, vars(function))
        if is_release_filename(function.__code__.co_filename):
            yield from self._iter_named_values(function.__code__, function.__globals__)


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _list_elements(array: Any) -> list[Any]:
    """Return the objects that an array refers to."""
    if not array.dtype.hasobject:
        return []
    if array.dtype.kind != "O" or array.size > MAX_OBJECTS:
        raise _DoubtfulValue
    return [*array.flat]


def _is_lesson_module(module: Any) -> bool:
    return isinstance(getattr(module, "__loader__", None), LessonModules)


def _is_release_class(cls: type) -> bool:
    module = vars(cls).get("__module__")
    return module == "__main__" or _is_lesson_module(sys.modules.get(module) if type(module) is str else None)
