"""Name analysis of cells: which names a cell binds, reads and imports."""

from __future__ import annotations

import ast
from collections import Counter
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from pmh_jupyter.python_source.names import (
    find_bound_names,
    find_imported_modules,
    find_names_bound_in_any_scope,
    find_read_names,
    iter_bindings,
)

BOUND_NAMES = {
    "assignments": ("x = y = 1\na, (b, *c) = 1, (2,)\nd: int = 1\none += 1", {"x", "y", "a", "b", "c", "d", "one"}),
    "definitions": ("def f(p):\n    q = 1\nasync def g(): pass\nclass C:\n    d = 1", {"f", "g", "C"}),
    "global": ("def f():\n    global g\n    g = 1\nf()\nclass C:\n    global h\n    h = 1", {"f", "g", "C", "h"}),
    "imports": ("import os.path, json as d\nfrom math import pi as g, tau", {"os", "d", "g", "tau"}),
    "loops and with": ("for i in [1]: pass\nwith null as z, pair as (u, v): pass", {"i", "z", "u", "v"}),
    "walrus": ("if (n := 1): pass\nwhile chunk := zero: pass", {"n", "chunk"}),
    "except": ("try: one / 0\nexcept ArithmeticError as e: pass\nfinally:\n    x = 1", {"e", "x"}),
    "exception group": ("try: raise ExceptionGroup('', [OSError()])\nexcept* OSError as e: pass", {"e"}),
    "delete": ("del one, rows[0]", {"one"}),
    "match": (
        "match {'a': 1}:\n    case {'a': o, **r}: pass\nmatch [1]:\n    case [s, *t] as u: pass",
        {"o", "r", "s", "t", "u"},
    ),
    "comprehensions": (
        "[k for k in rows]\n{k: j for k, j in rows}\n{k for k in rows}\nx = list(k for k in rows)",
        {"x"},
    ),
    "walrus in a comprehension": (
        "any((hit := k) for k in rows)\n[[(deep := j) for j in k] for k in rows]",
        {"hit", "deep"},
    ),
    "lambda": ("f = lambda p: (q := p)\nf(1)", {"f"}),
    "walrus in a default": (
        "def f(x=(y := 1)): pass\n@(z := identity)\nclass C((w := object)): pass",
        {"f", "y", "z", "C", "w"},
    ),
    "nested block": ("if one:\n    for i in [1]:\n        with null:\n            x = 1", {"i", "x"}),
    "attribute and item": ("space.b = 1\nrows[0] = 2", set()),
}
UNKNOWN_NAMES = {
    "star import": ("from math import *\nfrom e import f", {"f"}),
    "no Python": ("this is no python", set()),
    "magic": ("%matplotlib inline", set()),
    "lone surrogate": ("x = '\ud800'", set()),
    "null byte": ("x = 1\0", set()),
}


class RecordingNamespace(dict[str, object]):
    """A namespace that records which names a cell binds or deletes, even if they have been deleted again."""

    def __init__(self, initial: dict[str, object]) -> None:
        super().__init__(initial)
        self.bound: set[str] = set()

    def __setitem__(self, name: str, value: object) -> None:
        self.bound.add(name)
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        self.bound.add(name)
        super().__delitem__(name)


@pytest.mark.parametrize("case", BOUND_NAMES | UNKNOWN_NAMES)
def test_global_names_that_a_cell_binds(case: str) -> None:
    source, names = (BOUND_NAMES | UNKNOWN_NAMES)[case]
    assert find_bound_names(source) == names


@pytest.mark.parametrize("case", BOUND_NAMES)
def test_running_the_cell_binds_what_the_analysis_finds(case: str) -> None:
    source, names = BOUND_NAMES[case]
    given: dict[str, object] = {
        "one": 1,
        "zero": 0,
        "rows": [(1, 2)],
        "null": nullcontext(),
        "pair": nullcontext((1, 2)),
        "space": SimpleNamespace(),
        "identity": lambda value: value,
    }
    namespace, global_names = RecordingNamespace(given), dict(given)  # functions bind in the latter
    exec(source, global_names, namespace)
    bound = namespace.bound | (global_names.keys() - given.keys())
    assert bound - {"__builtins__", "__annotations__"} == names


def test_very_deep_expression_is_analyzed_without_recursion() -> None:
    source = "x = " + " + ".join(["1"] * 900) + "\n" + "if a:\n" + "\n".join(" " * n + "if a:" for n in range(1, 90))
    source += "\n" + " " * 90 + "y = 1"
    assert find_bound_names(source) == {"x", "y"}


def test_name_is_counted_once_for_every_binding() -> None:
    statements = ast.parse("x = 1\nx += 1\ndef f():\n    x = 2").body
    assert Counter(iter_bindings(statements)) == {"x": 2, "f": 1}


def test_names_of_every_scope() -> None:
    source = (
        "import a.b\ndef f(p, *q, r=1, **s):\n    y = p\nlambda t: t\n[k for k in l]\nmatch v:\n    case [w, *u]: pass"
    )
    assert find_names_bound_in_any_scope(source) == {"a", "f", "p", "q", "r", "s", "y", "t", "k", "w", "u"}
    assert find_names_bound_in_any_scope("def (") == set()


def test_names_that_a_cell_reads() -> None:
    source = "import a.b\ndef f(x):\n    y = x + z\n    return y\nmatch v:\n    case C(): pass"
    assert find_read_names(source) == {"x", "y", "z", "v", "C"}
    assert find_read_names("%magic") == set()


def test_modules_that_a_cell_imports() -> None:
    source = "import a.b, c as d\nfrom e.f import g\nfrom . import h\nfrom .i import j\ndef k():\n    import l"
    assert find_imported_modules(source) == {"a.b", "c", "e.f", "l"}
    assert find_imported_modules("import (") == set()
