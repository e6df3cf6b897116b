"""Parses Python source without running it. Thread-safe."""

from __future__ import annotations

import ast
import threading

from pmh_jupyter.python_source.resource_exhaustion import EXHAUSTION_ERRORS, record_exhaustion

# Exceptions that `parse` raises for invalid source. A lone surrogate raises ValueError, deep nesting one of the last two.
PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)

_lock = threading.Lock()
# Callables, because the tamper guard of the runtime restores these if the student's code replaces them.
_acquire_lock, _release_lock = _lock.acquire, _lock.release


def parse(source: str | bytes) -> ast.Module:
    """Return the syntax tree of a source. Raises one of PARSE_ERRORS.

    A lock allows one thread at a time: before 3.11.8 and 3.12.2, CPython's parser shares its recursion counter between threads, which
    occasionally raises SystemError (https://github.com/python/cpython/issues/106905).
    """
    _acquire_lock()
    try:
        tree = compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except EXHAUSTION_ERRORS as error:
        record_exhaustion(error)
        raise
    finally:
        _release_lock()
    assert isinstance(tree, ast.Module)
    return tree
