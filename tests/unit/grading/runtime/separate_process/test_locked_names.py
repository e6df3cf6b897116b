"""What locked cells have bound to their names, and what of it a notebook has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.separate_process.peers.locked_names import LockedNames

LOCKED_CELL = """
from functools import cached_property

def make_method(function):
    def method(self, value): return function(value)
    return method

class Base:
    def area(self): return 1

class Shape(Base):
    count = 0
    sides = property(lambda self: 4)
    doubled = cached_property(lambda self: 8)
    scaled = make_method(lambda value: 3 * value)
    def name(self, prefix='a'): return prefix + 'shape'
    def whole(self): return super().area()
    @staticmethod
    def make(): return Shape()
    @classmethod
    def kind(cls): return cls.__name__

def check(value): return value == 1
limits = [1, 2]
"""


def make_names(change: str = "") -> tuple[LockedNames, dict[str, Any]]:
    """Return the saved names of a locked cell, and the namespace after a change by the notebook."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(LOCKED_CELL, namespace)
    locked_names = LockedNames(namespace)
    locked_names.save(["Base", "Shape", "check", "limits", "unknown"])
    exec(change, namespace)
    return locked_names, namespace


CHANGES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "Shape.name = lambda self: 'x'": ("Shape.name", lambda cls: cls().name() == "ashape"),
    "Shape.make = staticmethod(lambda: 0)": ("Shape.make", lambda cls: isinstance(cls.make(), cls)),
    "Shape.kind = 5": ("Shape.kind", lambda cls: cls.kind() == "Shape"),
    "Shape.name.__code__ = (lambda self, prefix: 'x').__code__": ("Shape.name", lambda cls: cls().name() == "ashape"),
    "Shape.name.__defaults__ = ('b',)": ("Shape.name", lambda cls: cls().name() == "ashape"),
    "Shape.make.__code__ = (lambda: 7).__code__": ("Shape.make", lambda cls: isinstance(cls.make(), cls)),
    "Shape.sides = property(lambda self: 5)": ("Shape.sides", lambda cls: cls().sides == 4),
    "Shape.area = lambda self: 9": ("Shape.area", lambda cls: cls().area() == 1),
    "Shape.__eq__ = lambda self, other: True": ("Shape.__eq__", lambda cls: cls() != 5),
    "Shape.__getattr__ = lambda self, name: 1": ("Shape.__getattr__", lambda cls: not hasattr(cls(), "other")),
    "Shape.__bases__ = (type('Other', (), {}),)": ("Shape.__bases__", lambda cls: cls().area() == 1),
    "Shape.sides.fget.__code__ = (lambda self: 5).__code__": ("Shape.sides", lambda cls: cls().sides == 4),
    "Shape.doubled.func.__code__ = (lambda self: 1).__code__": ("Shape.doubled", lambda cls: cls().doubled == 8),
    "Shape.scaled.__closure__[0].cell_contents = lambda value: 0": ("Shape.scaled", lambda cls: cls().scaled(2) == 6),
    "del Shape.name": ("Shape.name", lambda cls: cls().name() == "ashape"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_method_of_a_class_is_restored_and_named(change: str) -> None:
    name, is_restored = CHANGES[change]
    locked_names, namespace = make_names(change)
    with pytest.raises((AssertionError, AttributeError, TypeError)):
        assert is_restored(namespace["Shape"])
    assert locked_names.find_changes() == [name]
    assert locked_names.restore() == [name]
    assert is_restored(namespace["Shape"])
    assert locked_names.restore() == locked_names.find_changes() == []


@pytest.mark.parametrize(
    "change",
    [
        "",
        "Shape.count += 1",
        "Shape.depth = lambda self: 1",
        "Shape.__repr__ = lambda self: 'x'",
        "Shape.__doc__ = 'x'",
        "Shape().other = 1",
        "Shape.__lt__ = lambda self, other: True",
    ],
)
def test_data_and_new_methods_of_a_class_are_left_alone(change: str) -> None:
    locked_names, _ = make_names(change)
    assert locked_names.restore() == []


@pytest.mark.parametrize("cls", ["Shape", "Base"])
def test_order_that_is_added_to_a_class_with_an_order_is_undone(cls: str) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(f"{LOCKED_CELL}\n{cls}.__lt__ = lambda self, other: False", namespace)
    locked_names = LockedNames(namespace)
    locked_names.save(["Base", "Shape"])
    namespace["Shape"].__gt__ = lambda self, other: True
    assert locked_names.restore() == ["Shape.__gt__"]


FIND_CASES: dict[str, tuple[str, Callable[[Any, Any], bool], bool]] = {
    "": ("Shape", lambda found, current: found is current, False),
    "class Shape: pass": ("Shape", lambda found, current: found is not current, True),
    "del Shape": ("Shape", lambda found, current: found().name() == "ashape", False),
    "check = lambda value: True": ("check", lambda found, current: found(2) is False, True),
    "limits = [5]": ("limits", lambda found, current: found is current, False),
    "limits.append(3)": ("limits", lambda found, current: found == [1, 2, 3], False),
}


@pytest.mark.parametrize("change", FIND_CASES)
def test_name_has_the_value_of_the_locked_cell(change: str) -> None:
    name, is_right, is_change_expected = FIND_CASES[change]
    locked_names, namespace = make_names(change)
    found = locked_names.find(name)
    assert found is not None
    assert is_right(found[0], namespace.get(name))
    assert found[1] is is_change_expected


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        (LOCKED_CELL, True),
        (LOCKED_CELL.replace("lambda self: 4", "lambda self: 5"), False),
        (LOCKED_CELL.replace("count = 0", "count = 1"), False),
        (LOCKED_CELL.replace("prefix='a'", "prefix='b'"), False),
        (LOCKED_CELL + "\nShape.__lt__ = lambda self, other: True", True),
        (LOCKED_CELL + "\nShape.__eq__ = lambda self, other: True", False),
    ],
)
def test_class_that_is_defined_again_in_the_same_way_is_the_notebooks(change: str, is_same: bool) -> None:
    # The second definition of the base is another class.
    locked_names, namespace = make_names(change.replace("class Base:", "class Unused:"))
    assert locked_names.find("Shape") == (
        (namespace["Shape"], False) if is_same else (locked_names._values["Shape"], True)
    )


def test_name_that_the_locked_cell_did_not_bind_is_not_found() -> None:
    assert make_names()[0].find("unknown") is None


def test_changed_code_of_a_function_is_restored() -> None:
    locked_names, namespace = make_names("check.__code__ = (lambda value: True).__code__")
    assert locked_names.find_changes() == ["check.__code__"]
    assert locked_names.restore() == ["check.__code__"]
    assert namespace["check"](2) is False
    assert locked_names.restore() == []
