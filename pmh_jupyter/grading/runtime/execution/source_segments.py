"""The words of a source that a node of its syntax tree stands for."""

from __future__ import annotations

import ast

from pmh_jupyter.grading.runtime.execution.source_lines import split_source_lines
from pmh_jupyter.grading.runtime.execution.text_clipping import clip


def get_short_segment(node: ast.AST, source: str) -> str:
    """A node's own words, clipped to one readable piece."""
    text = get_source_segment(node, source) or ast.unparse(node)
    return clip("\n".join(line.strip() for line in split_source_lines(text)))


def get_source_segment(node: ast.AST, source: str) -> str:
    """As `ast.get_source_segment`, which splits the whole source anew for each node; "" for a node that stands nowhere."""
    first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
    if first is None or last is None:
        return ""
    # Columns are counted in bytes of UTF-8. What ends a line for Python does for bytes, and nothing else.
    lines = source.encode().splitlines(keepends=True)[first - 1 : last]
    lines[-1] = lines[-1][: node.end_col_offset]  # type: ignore[attr-defined]
    lines[0] = lines[0][node.col_offset :]  # type: ignore[attr-defined]
    return b"".join(lines).decode()
