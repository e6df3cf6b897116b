"""What the names of locked cells refer to, saved in the student process when the cells have run.

Objects of a class that a locked cell defines live in the notebook, so the class cannot be the judge's own, as a test helper is. Instead,
tests get what the locked cell has bound to a name, whatever the notebook binds to it later, and changes of a class's methods are undone
before each test cell. What the reference solution changes too is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import CodeType, FunctionType
from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

_MISSING = object()
_get_bases, _get_attributes = type.__dict__["__bases__"].__get__, type.__dict__["__dict__"].__get__
_PLAIN_TYPES = (int, float, complex, str, bytes, bool, type(None))
# Python sets these itself, or they decide nothing.
_IGNORED_ATTRIBUTES = frozenset(
    "__dict__ __weakref__ __doc__ __module__ __annotations__ __abstractmethods__ __firstlineno__ __static_attributes__".split()
)
_ATTRIBUTES_OF_ONE_CLASS = _IGNORED_ATTRIBUTES | {"__dataclass_fields__", "__dataclass_params__"}


class _SavedClass:
    """The bases and the attributes of a class, and the state of each function among them."""

    def __init__(self, cls: type) -> None:
        self.cls, self.bases = cls, _get_bases(cls)
        self.attributes = {name: value for name, value in _get_attributes(cls).items() if type(name) is str}
        self.functions = {
            name: _get_function_state(function)
            for name, value in self.attributes.items()
            if (function := _find_function(value)) is not None
        }

    def find_changes(self) -> Iterator[str]:
        """Yield the name of each changed method, or `__bases__`.

        Attributes with data do not count, because the class may change them itself (a counter), nor do new methods that override nothing.
        """
        if _get_bases(self.cls) != self.bases:
            yield "__bases__"
        attributes = dict(_get_attributes(self.cls))
        for name in dict.fromkeys((*self.attributes, *attributes)):
            if type(name) is not str or name in _IGNORED_ATTRIBUTES or name.startswith("_abc_"):
                continue
            if self._is_changed(name, self.attributes.get(name, _MISSING), attributes.get(name, _MISSING)):
                yield name

    def restore(self, name: str) -> None:
        """Undo a change. A metaclass may refuse it."""
        with suppress(Exception):
            if name == "__bases__":
                self.cls.__bases__ = self.bases
            else:
                self._restore_attribute(name, self.attributes.get(name, _MISSING))

    def _is_changed(self, name: str, saved: Any, current: Any) -> bool:
        if saved is _MISSING:
            return (name.startswith("__") and name.endswith("__")) or any(
                name in _get_attributes(base) for base in type.__dict__["__mro__"].__get__(self.cls)[1:]
            )
        if saved is not current:
            return _is_method(saved) or _is_method(current)
        function = _find_function(saved)
        return function is not None and not _has_state(function, self.functions[name])

    def _restore_attribute(self, name: str, saved: Any) -> None:
        if saved is _MISSING:
            type.__delattr__(self.cls, name)
            return
        function = _find_function(saved)
        if function is not None:
            function.__code__, function.__defaults__, function.__kwdefaults__ = self.functions[name]
        if _get_attributes(self.cls).get(name) is not saved:
            type.__setattr__(self.cls, name, saved)


class LockedNames:
    """The names that locked cells have bound so far in this namespace."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._values: dict[str, Any] = {}
        self._classes: dict[str, _SavedClass] = {}

    def save(self, names: Iterable[str]) -> None:
        """Save what the names refer to now."""
        for name in names:
            value = self._namespace.get(name, _MISSING)
            self._values.pop(name, None)
            self._classes.pop(name, None)
            if value is not _MISSING:
                self._values[name] = value
                if isinstance(value, type) and type.__dict__["__module__"].__get__(value) == "__main__":
                    self._classes[name] = _SavedClass(value)

    def find(self, name: str) -> tuple[Any, bool] | None:
        """Return what a locked cell has bound to a name, and whether the notebook has bound another function or class to it.

        A class that is defined again in the same way is the notebook's, because its objects are. None if nothing is saved.
        """
        if name not in self._values:
            return None
        saved, current = self._values[name], self._namespace.get(name, _MISSING)
        if current is saved or (name in self._classes and _is_same_class(self._classes[name], current)):
            return current, False
        return saved, current is not _MISSING and callable(saved)

    def restore_classes(self, permitted: Iterable[str]) -> list[str]:
        """Undo changes of the classes' methods, except the permitted ones. Returns what was changed: `Class.attribute`."""
        permitted_names, changes = set(permitted), []
        for name, saved_class in self._classes.items():
            for attribute in list(saved_class.find_changes()):
                if f"{name}.{attribute}" not in permitted_names:
                    saved_class.restore(attribute)
                    changes.append(f"{name}.{attribute}")
        return changes

    def find_changes(self) -> list[str]:
        """Return the names that now refer to something else, and the changed attributes of the classes. Undoes nothing."""
        changed_names = [
            name for name, value in self._values.items() if self._namespace.get(name, _MISSING) is not value
        ]
        return changed_names + [
            f"{name}.{attribute}"
            for name, saved_class in self._classes.items()
            for attribute in saved_class.find_changes()
        ]


def _find_function(value: Any) -> FunctionType | None:
    """Return the function of a method."""
    if type(value) in (staticmethod, classmethod):
        value = value.__func__
    elif type(value) is property:
        value = value.fget
    return value if type(value) is FunctionType else None


def _is_method(value: Any) -> bool:
    return value is not _MISSING and (callable(value) or hasattr(type(value), "__get__"))


def _get_function_state(function: FunctionType) -> tuple[Any, Any, Any]:
    return function.__code__, function.__defaults__, function.__kwdefaults__


def _has_state(function: FunctionType, state: tuple[Any, Any, Any]) -> bool:
    return all(map(lambda before, after: before is after, state, _get_function_state(function)))


def _is_same_class(saved: _SavedClass, other: Any) -> bool:
    """Return whether a class has the definition that another one had: the same bases, code and plain data."""
    if not isinstance(other, type) or _get_bases(other) != saved.bases:
        return False
    expected, actual = (
        {name: value for name, value in attributes.items() if name not in _ATTRIBUTES_OF_ONE_CLASS}
        for attributes in (saved.attributes, _get_attributes(other))
    )
    return actual.keys() == expected.keys() and all(
        _is_same_attribute(value, actual[name]) for name, value in expected.items()
    )


def _is_same_attribute(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if type(left) is property:
        return all(map(_is_same_attribute, (left.fget, left.fset, left.fdel), (right.fget, right.fset, right.fdel)))
    left_function, right_function = _find_function(left), _find_function(right)
    if left_function is None or right_function is None:
        return left is right or _is_same_data(left, right)
    return _normalize_code(left_function.__code__) == _normalize_code(right_function.__code__) and all(
        map(_is_same_data, _get_function_state(left_function)[1:], _get_function_state(right_function)[1:])
    )


def _is_same_data(left: Any, right: Any) -> bool:
    if type(left) is tuple and type(right) is tuple:
        return len(left) == len(right) and all(map(_is_same_data, left, right))
    return type(left) is type(right) and type(left) in _PLAIN_TYPES and bool(left == right)


def _normalize_code(code: CodeType) -> CodeType:
    """Return the code as if it stood in the first line of a file without a name."""
    constants = tuple(_normalize_code(each) if type(each) is CodeType else each for each in code.co_consts)
    return code.replace(co_consts=constants, co_firstlineno=1, co_linetable=b"", co_filename="")
