"""Cells with the names that they bind and read."""

from __future__ import annotations

# The source of a cell; the names that it binds; the global names that it reads; of these, the ones that it reads in nested scopes.
NAME_CASES = [
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
