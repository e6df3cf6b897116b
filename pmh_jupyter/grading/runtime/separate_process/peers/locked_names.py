"""The values of names that locked cells have bound, saved in the student process when the cells have run.

Objects of a class that a locked cell defines exist in the student process, so the class cannot be created in the judge, as a test helper
is. Instead, tests get the function or class that the locked cell has bound to a name, even if the notebook binds the name again later.
Changes of them are undone before each test cell, unless the reference solution makes them, too. Data is copied to the judge.
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
_CODE = ".__code__"
# Adding one of these changes equality, attribute lookup or construction of existing objects.
_DECIDING_METHODS = frozenset(
    "__eq__ __ne__ __hash__ __bool__ __getattr__ __getattribute__ __setattr__ __init__ __new__ __call__ "
    "__init_subclass__ __class__ __slots__".split()
)
# Adding these to a class without any of them only changes what raises TypeError otherwise. The contract does not let a test use them.
_ORDERING_METHODS = frozenset({"__lt__", "__le__", "__gt__", "__ge__"})
# Attributes of descriptors with their functions: methods, properties, `cached_property`, `partialmethod`.
_FUNCTION_ATTRIBUTES = ("__func__", "fget", "fset", "fdel", "func")
# Set by Python, or without effect on behavior.
_IGNORED_ATTRIBUTES = frozenset(
    "__dict__ __weakref__ __doc__ __module__ __annotations__ __abstractmethods__ __firstlineno__ __static_attributes__".split()
)
_ATTRIBUTES_OF_ONE_CLASS = _IGNORED_ATTRIBUTES | {"__dataclass_fields__", "__dataclass_params__"}


class _SavedClass:
    """The bases and the attributes of a class, and the state of each function among them."""

    def __init__(self, cls: type) -> None:
        self.cls, self.bases = cls, _get_bases(cls)
        self.attributes = {name: value for name, value in _get_attributes(cls).items() if type(name) is str}
        self.functions = {name: _save_functions(value) for name, value in self.attributes.items()}
        has_order = any(
            _ORDERING_METHODS & _get_attributes(base).keys() for base in type.__dict__["__mro__"].__get__(cls)[:-1]
        )
        self.deciding_methods = _DECIDING_METHODS | _ORDERING_METHODS if has_order else _DECIDING_METHODS

    def find_changes(self) -> Iterator[str]:
        """Yield the name of each changed method, or `__bases__`.

        Attributes with data do not count, because the class may change them itself (a counter). New methods that override nothing do not
        count, either.
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
            return name in self.deciding_methods or any(
                name in _get_attributes(base) for base in type.__dict__["__mro__"].__get__(self.cls)[1:-1]
            )
        if saved is not current:
            return _is_method(saved) or _is_method(current)
        return not all(map(_SavedFunction.is_unchanged, self.functions[name]))

    def _restore_attribute(self, name: str, saved: Any) -> None:
        if saved is _MISSING:
            type.__delattr__(self.cls, name)
            return
        for function in self.functions[name]:
            function.restore()
        if _get_attributes(self.cls).get(name) is not saved:
            type.__setattr__(self.cls, name, saved)


class _SavedFunction:
    """A function with its code, its defaults, and the functions and classes in its closure."""

    def __init__(self, function: FunctionType) -> None:
        self.function = function
        self.state = (function.__code__, function.__defaults__, function.__kwdefaults__)
        self.cells = [(cell, content) for cell in function.__closure__ or () if callable(content := _get_content(cell))]

    def is_unchanged(self) -> bool:
        """Return whether nothing has changed. Data in the closure does not count, because it may be a counter."""
        function = self.function
        state = (function.__code__, function.__defaults__, function.__kwdefaults__)
        return all(map(lambda before, after: before is after, self.state, state)) and all(
            _get_content(cell) is content for cell, content in self.cells
        )

    def restore(self) -> None:
        """Undo changes."""
        self.function.__code__, self.function.__defaults__, self.function.__kwdefaults__ = self.state
        for cell, content in self.cells:
            cell.cell_contents = content


class LockedNames:
    """The names that locked cells have bound so far in this namespace."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._values: dict[str, Any] = {}
        self._classes: dict[str, _SavedClass] = {}
        self._functions: dict[str, list[_SavedFunction]] = {}

    def save(self, names: Iterable[str]) -> None:
        """Save the current values of the names."""
        for name in names:
            value = self._namespace.get(name, _MISSING)
            self._values.pop(name, None)
            self._classes.pop(name, None)
            self._functions.pop(name, None)
            if value is not _MISSING:
                self._values[name] = value
                self._functions[name] = _save_functions(value)
                if isinstance(value, type) and type.__dict__["__module__"].__get__(value) == "__main__":
                    self._classes[name] = _SavedClass(value)

    def find(self, name: str) -> tuple[Any, bool] | None:
        """Return the value that a locked cell has bound to a name, and whether the notebook has bound another function or class to it.

        For a class that the notebook has defined again in the same way, the new class is returned, because objects of it exist. None if
        nothing is saved.
        """
        if name not in self._values:
            return None
        saved, current = self._values[name], self._namespace.get(name, _MISSING)
        if current is saved or (name in self._classes and _is_same_class(self._classes[name], current)):
            return current, False
        if not callable(saved) and current is not _MISSING:  # data that tests read is in the judge
            return current, False
        return saved, current is not _MISSING

    def restore(self) -> list[str]:
        """Undo changes of functions and of methods of classes. Returns the changed attributes: `Class.attribute`."""
        changes = []
        for name, saved_class in self._classes.items():
            for attribute in list(saved_class.find_changes()):
                saved_class.restore(attribute)
                changes.append(f"{name}.{attribute}")
        for name in self._find_changed_functions():
            for function in self._functions[name.removesuffix(_CODE)]:
                function.restore()
            changes.append(name)
        return changes

    def _find_changed_functions(self) -> list[str]:
        return [
            f"{name}{_CODE}"
            for name, functions in self._functions.items()
            if not all(map(_SavedFunction.is_unchanged, functions))
        ]

    def find_changes(self) -> list[str]:
        """Return names that refer to other values now, and changed attributes of classes, without undoing changes."""
        changed_names = [
            name for name, value in self._values.items() if self._namespace.get(name, _MISSING) is not value
        ]
        return (
            changed_names
            + [
                f"{name}.{attribute}"
                for name, saved_class in self._classes.items()
                for attribute in saved_class.find_changes()
            ]
            + self._find_changed_functions()
        )


def _save_functions(value: Any) -> list[_SavedFunction]:
    """Save a function, or the functions in a method, a property or a similar descriptor."""
    parts = [value, *(getattr(value, name, None) for name in _FUNCTION_ATTRIBUTES if not isinstance(value, type))]
    return [_SavedFunction(part) for part in parts if type(part) is FunctionType]


def _get_content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # the closure cell is empty
        return None


def _is_method(value: Any) -> bool:
    return value is not _MISSING and (callable(value) or hasattr(type(value), "__get__"))


def _get_defaults(function: FunctionType) -> tuple[Any, Any]:
    return function.__defaults__, function.__kwdefaults__


def _is_same_class(saved: _SavedClass, other: Any) -> bool:
    """Return whether a class has the same definition as another one: the same bases, code and plain data."""
    if not isinstance(other, type) or _get_bases(other) != saved.bases:
        return False
    expected, actual = (
        {name: value for name, value in attributes.items() if name not in _ATTRIBUTES_OF_ONE_CLASS}
        for attributes in (saved.attributes, _get_attributes(other))
    )
    added_names = actual.keys() - expected.keys()
    return (
        actual.keys() >= expected.keys()
        and not added_names & saved.deciding_methods
        and all(_is_same_attribute(value, actual[name]) for name, value in expected.items())
    )


def _is_same_attribute(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if left is right or _is_same_data(left, right):
        return True
    if type(left) is FunctionType:
        return _is_same_function(left, right)
    # A method, a property or a similar descriptor. Other objects are the same only if they are identical.
    names = [name for name in _FUNCTION_ATTRIBUTES if not isinstance(left, type) and hasattr(left, name)]
    return bool(names) and all(_is_same_attribute(getattr(left, name), getattr(right, name)) for name in names)


def _is_same_function(left: FunctionType, right: FunctionType) -> bool:
    return (
        _normalize_code(left.__code__) == _normalize_code(right.__code__)
        and all(map(_is_same_data, _get_defaults(left), _get_defaults(right)))
        and all(
            name == "__class__"  # of a method that calls `super`
            or _get_content(after) is right
            or _is_same_attribute(_get_content(before), _get_content(after))
            for name, before, after in zip(
                left.__code__.co_freevars, left.__closure__ or (), right.__closure__ or (), strict=True
            )
        )
    )


def _is_same_data(left: Any, right: Any) -> bool:
    if type(left) is tuple and type(right) is tuple:
        return len(left) == len(right) and all(map(_is_same_data, left, right))
    return type(left) is type(right) and type(left) in _PLAIN_TYPES and bool(left == right)


def _normalize_code(code: CodeType) -> CodeType:
    """Return the code as if it were in the first line of a file without a name."""
    constants = tuple(_normalize_code(each) if type(each) is CodeType else each for each in code.co_consts)
    return code.replace(co_consts=constants, co_firstlineno=1, co_linetable=b"", co_filename="")
