"""Turns a cell with IPython's syntax (magics, shell commands, help) into plain Python."""

from __future__ import annotations

from pmh_jupyter.python_source.parsing import PARSE_ERRORS, parse
from pmh_jupyter.python_source.resource_exhaustion import record_exhaustion


def to_plain_python(source: str) -> str | None:
    """Return the source without IPython's syntax. None for a string that is not valid Python either way."""
    try:
        parse(source)
        return source
    except PARSE_ERRORS:
        pass
    try:
        python_source = transform_ipython_syntax(source)
        parse(python_source)
    except PARSE_ERRORS as error:
        record_exhaustion(error)
        return None
    return python_source


def transform_ipython_syntax(source: str) -> str:
    """Return the source with magics, shell commands and help as calls. Raises SyntaxError."""
    from IPython.core.inputtransformer2 import TransformerManager  # expensive import, rarely needed

    # A new transformer, because transforms that the student's cells registered with the shell must not affect the tests.
    python_source: str = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
    return python_source
