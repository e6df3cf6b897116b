"""Python read without being run, by any number of threads at once."""

from __future__ import annotations

import ast
import threading

PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What `parse` raises over a text that is no Python: a lone surrogate is a ValueError, deep nesting one of the last two."""

_parse_lock = threading.Lock()


def parse(source: str | bytes, flags: int = 0) -> ast.Module:
    """The syntax tree of a source, with `flags` as of `compile`; raises one of UNREADABLE.

    One thread at a time: before 3.11.8 and 3.12.2 CPython counts how deep it is in a tree for all threads together, and two of them
    then now and then end in a SystemError (https://github.com/python/cpython/issues/106905).
    """
    with _parse_lock:
        tree = compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST | flags, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree
