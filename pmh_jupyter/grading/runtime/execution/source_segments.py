"""The source text of a node of a syntax tree."""

from __future__ import annotations

import ast

from pmh_jupyter.grading.runtime.execution.text_clipping import clip
from pmh_jupyter.python_source.lines import split_source_lines


def get_short_segment(node: ast.AST, source: str) -> str:
    """Return the source text of a node, clipped, without the indentation of its lines."""
    text = get_source_segment(node, source) or ast.unparse(node)
    return clip("\n".join(line.strip() for line in split_source_lines(text)))


def get_source_segment(node: ast.AST, source: str) -> str:
    """Like `ast.get_source_segment`. Returns "" for a node without a position.

    `ast.get_source_segment` finds the lines of the whole source character by character, in Python.
    """
    first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
    if first is None or last is None:
        return ""
    # Columns are counted in bytes of UTF-8.
    lines = [line.encode() for line in split_source_lines(source, keepends=True)[first - 1 : last]]
    lines[-1] = lines[-1][: node.end_col_offset]  # type: ignore[attr-defined]
    lines[0] = lines[0][node.col_offset :]  # type: ignore[attr-defined]
    return b"".join(lines).decode()
