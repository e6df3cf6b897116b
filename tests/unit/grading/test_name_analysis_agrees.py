"""The host's name analysis and the runtime's give the same names: each has its own, because the runtime imports nothing of the host's."""

from __future__ import annotations

import pytest

from pmh_jupyter.grading.name_analysis import analyze_names
from pmh_jupyter.grading.runtime.execution.bindings import find_bound_names, find_read_names
from tests.support.grading.name_cases import NAME_CASES

SNIPPETS = [
    *(source for source, *_ in NAME_CASES if not source.startswith("%")),
    "del x",
    "x: int",
    "x: int = y",
    "a, (b, *c), d[0], e.f = g",
    "class C:\n    global x\n    x = 1",
    "def f():\n    def g():\n        global deep\n        deep = 1",
    "@decorate(first := 1)\ndef f(a=(second := 2), *, b: (third := 3) = 4): pass",
    "[[inner := c for c in row] for row in rows]",
    "lambda: (local := 1)",
    "class C((base := object)): x = 1",
    "match p:\n    case C(a, b=[_, *rest]) as whole if (guard := a): pass",
    "try:\n    pass\nexcept* E as group:\n    pass",
    "import a.b.c, d.e as f\nfrom . import g",
    "if x:\n    y = 1\nelse:\n    z = 2\nwhile y: w = 3",
    "async def f():\n    async for a in b: pass\n    async with c as d: pass",
    "",
]


@pytest.mark.parametrize("source", SNIPPETS)
def test_both_analyses_find_the_same_names(source: str) -> None:
    names = analyze_names(source)
    assert names.bound == find_bound_names(source)
    assert names.used == find_read_names(source)
