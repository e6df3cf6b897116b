"""The names of test cells that run in-process, apart from those of the notebook, which a tested function can read and bind.

A name that no test cell has bound is looked up in the notebook. Names that later cells of the reference read are bound in the notebook.
"""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import TestCase

_MISSING = object()


class TestNamespace(dict[str, Any]):
    """The globals of the test cells of one notebook. The underlying `dict` contains the names that the test cells have bound.

    notebook: the names of the notebook. exported_names: names that test cells bind there.
    """

    __test__ = False  # not a pytest class

    def __init__(self, notebook: dict[str, Any], exported_names: Collection[str] = ()) -> None:
        super().__init__(__name__="__main__", __builtins__=builtins)
        self.notebook, self.exported_names = notebook, frozenset(exported_names)
        self._lent_classes: dict[str, Any] = {}

    def __missing__(self, name: str) -> Any:
        return self.notebook[name]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self.notebook

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self.exported_names:
            self.notebook[name] = value
            return
        super().__setitem__(name, value)
        if isinstance(value, type) and issubclass(value, TestCase):
            # `unittest.main` searches the module `__main__` for it.
            self._lent_classes.setdefault(name, self.notebook.get(name, _MISSING))
            self.notebook[name] = value

    def __delitem__(self, name: str) -> None:
        if not self.pop_own(name):
            del self.notebook[name]

    def pop_own(self, name: str) -> bool:
        """Remove a name that the test cells have bound. Returns whether it existed."""
        return super().pop(name, _MISSING) is not _MISSING

    def __iter__(self) -> Iterator[str]:
        own_names = list(super().__iter__())
        return iter([*own_names, *(name for name in [*self.notebook] if name not in own_names)])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def keys(self) -> Any:
        return dict.fromkeys(self).keys()

    def items(self) -> Any:
        return {name: self[name] for name in self}.items()

    def values(self) -> Any:
        return {name: self[name] for name in self}.values()

    def end_cell(self) -> None:
        """Called after each test cell: export the names that a function declared as `global`, and remove test classes from the notebook."""
        for name in self.exported_names:
            value = super().pop(name, _MISSING)
            if value is not _MISSING:
                self.notebook[name] = value
        for name, previous_value in self._lent_classes.items():
            self.notebook.pop(name, None)
            if previous_value is not _MISSING:
                self.notebook[name] = previous_value
        self._lent_classes.clear()

    @contextmanager
    def bind_temporarily(self, names: Collection[str]) -> Iterator[None]:
        """Bind names of the notebook here for a class body, which reads its globals without calling `__missing__`."""
        bound_values = {
            name: self.notebook[name] for name in names if not dict.__contains__(self, name) and name in self.notebook
        }
        dict.update(self, bound_values)
        try:
            yield
        finally:
            for name, value in bound_values.items():
                if super().get(name) is value:
                    super().pop(name)
