"""Names that a cell binds and reads, as the host finds them without running the cell."""

from __future__ import annotations

import pytest

from pmh_jupyter.grading.name_analysis import MAX_CHARACTERS, analyze_names

FOUND = [
    # source, bound, global reads, of these in nested scopes
    ("x = y", "x", "y", ""),
    ("x += 1", "x", "x", ""),
    ("def f(a=d):\n    b = a\n    return b + g", "f", "d g", "g"),
    ("def f():\n    global x\n    x = 1", "f x", "", ""),
    ("def f():\n    def g():\n        return a + z\n    a = 1\n    return g", "f", "z", "z"),
    ("class C(B):\n    size = n\n    def m(self):\n        return size", "C", "B n size", "n size"),
    ("[v for v in rows if v > low]", "", "rows low", "low"),
    ("any((hit := v) for v in rows)", "hit", "any rows", ""),
    ("def f(rows):\n    any((hit := v) for v in rows)\n    return hit", "f", "any", "any"),
    ("match p:\n    case {'k': v, **rest} | [v, *rest]: pass", "v rest", "p", ""),
    ("try:\n    pass\nexcept E as error:\n    pass", "error", "E", ""),
    ("import os.path, numpy as np\nfrom math import *\nfrom a import b as c", "os np c", "", ""),
    ("with a() as (b, *c):\n    for d in b: pass", "b c d", "a b", ""),
    ("f = lambda a, *b: a + b + c", "f", "c", "c"),
    ("async def f():\n    await g()\nawait f()", "f", "f g", "g"),
    ("%matplotlib inline\nx = 1", "x", "", ""),
]


@pytest.mark.parametrize(("source", "bound", "reads", "nested"), FOUND)
def test_bound_and_read_names_are_found(source: str, bound: str, reads: str, nested: str) -> None:
    names = analyze_names(source)
    assert names.is_parsed
    assert [names.bound, names.global_reads, names.nested_reads] == [
        frozenset(text.split()) for text in (bound, reads, nested)
    ]


@pytest.mark.parametrize("source", ["x = (", "x = 1\x00", "x = '\ud800'", "(" * 50_000, "#" * (MAX_CHARACTERS + 1)])
def test_text_that_is_not_python_binds_nothing(source: str) -> None:
    names = analyze_names(source)
    assert not names.is_parsed and not names.bound and not names.global_reads


def test_deeply_nested_code_is_analyzed_without_recursion() -> None:
    source = "x = " + "+".join(["y"] * 900)
    assert analyze_names(source).global_reads == {"y"}
    blocks = "\n".join(" " * n + f"def f{n}():" for n in range(90)) + "\n" + " " * 90 + "return z"
    assert analyze_names(blocks).nested_reads == {"z"}
