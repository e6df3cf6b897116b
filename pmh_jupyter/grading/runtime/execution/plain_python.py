"""Turns a cell with IPython's syntax (magics, shell commands, help) into plain Python."""

from __future__ import annotations

import ast

from pmh_jupyter.grading.runtime.execution.bindings import PARSE_ERRORS


def to_plain_python(source: str) -> str | None:
    """Return the source without IPython's syntax. None for a string that is not valid Python either way."""
    try:
        ast.parse(source)
        return source
    except PARSE_ERRORS:
        pass
    try:
        python_source = transform_ipython_syntax(source)
        ast.parse(python_source)
    except PARSE_ERRORS:
        return None
    return python_source


def transform_ipython_syntax(source: str) -> str:
    """Return the source with calls of IPython's functions in place of its syntax. Raises SyntaxError for some invalid sources."""
    from IPython.core.inputtransformer2 import TransformerManager

    # A new transformer, because transforms that the student's cells registered with the shell must not affect the tests.
    python_source: str = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
    return python_source
