"""Name analysis of cells: which names a cell binds, reads and imports."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from pmh_jupyter.grading.runtime.execution.bindings import (
    find_bound_names,
    find_imported_modules,
    find_names_bound_in_any_scope,
    find_read_names,
    iter_bindings,
)

BOUND_NAMES = {
    "assignments": ("x = y = 1\na, (b, *c) = 1, (2,)\nd: int = 1\ne += 1", {"x", "y", "a", "b", "c", "d", "e"}),
    "definitions": ("def f(p):\n    q = 1\nasync def g(): pass\nclass C:\n    d = 1", {"f", "g", "C"}),
    "global": ("def f():\n    global g\n    g = 1\nclass C:\n    global h\n    h = 1", {"f", "g", "C", "h"}),
    "imports": ("import a.b, c as d\nfrom e import f as g, h", {"a", "d", "g", "h"}),
    "star import": ("from math import *\nfrom e import f", {"f"}),
    "loops and with": ("for i in x: pass\nwith y as z, w as (u, v): pass", {"i", "z", "u", "v"}),
    "walrus": ("if (n := 1): pass\nwhile chunk := read(): pass", {"n", "chunk"}),
    "except": ("try: pass\nexcept E as e: pass\nfinally:\n    x = 1", {"e", "x"}),
    "exception group": ("try: pass\nexcept* E as e: pass", {"e"}),
    "delete": ("del m, n[0]", {"m"}),
    "match": ("match v:\n    case {'a': o, **r}: pass\n    case [s, *t] as u: pass", {"o", "r", "s", "t", "u"}),
    "comprehensions": ("[j for k in l]\n{k: j for k, j in l}\n{k for k in l}\nx = list(k for k in l)", {"x"}),
    "walrus in a comprehension": ("any((hit := k) for k in l)\n[[(deep := j) for j in k] for k in l]", {"hit", "deep"}),
    "lambda": ("f = lambda p: (q := p)", {"f"}),
    "walrus in a default": ("def f(x=(y := 1)): pass\n@(z := d)\nclass C((w := B)): pass", {"f", "y", "z", "C", "w"}),
    "nested block": ("if a:\n    for i in b:\n        with c:\n            x = 1", {"i", "x"}),
    "attribute and item": ("a.b = 1\nc[0] = 2", set()),
    "no Python": ("this is no python", set()),
    "magic": ("%matplotlib inline", set()),
    "lone surrogate": ("x = '\ud800'", set()),
    "null byte": ("x = 1\0", set()),
}


@pytest.mark.parametrize("case", BOUND_NAMES)
def test_global_names_that_a_cell_binds(case: str) -> None:
    source, names = BOUND_NAMES[case]
    assert find_bound_names(source) == names


@pytest.mark.parametrize("case", BOUND_NAMES)
def test_running_the_cell_binds_what_the_analysis_finds(case: str) -> None:
    """For the cases that can be run: names that are there afterwards have been found, but for those of a star import."""
    source, names = BOUND_NAMES[case]
    namespace: dict[str, object] = {"__builtins__": {}}
    try:
        exec(source.replace("from math import *\n", ""), namespace)
    except Exception:  # noqa: BLE001 - up to the statement that fails, names were bound
        pass
    assert namespace.keys() - {"__builtins__", "__annotations__"} <= names


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
