"""The text of a student's functions and classes, from the judge's own copy of the cells."""

from __future__ import annotations

import ast

from ..bindings import UNREADABLE
from ..judge import plain_source

_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Sources:
    """The cells that have run."""

    def __init__(self) -> None:
        self._cells: list[str] = []

    def add(self, source: str) -> None:
        """Another cell has run."""
        self._cells.append(source)

    def find(self, path: str) -> str | None:
        """The text of what was defined last under this qualified name; None where there is none."""
        parts = [part for part in path.split(".") if part != "<locals>"]
        for source in reversed(self._cells):
            plain = plain_source(source) or ""
            node = _definition(plain, parts)
            if node is not None:
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                lines = plain.splitlines(keepends=True)[first - 1 : node.end_lineno]
                return "".join(lines).rstrip("\n") + "\n"
        return None


def _definition(source: str, parts: list[str]) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None:
    try:
        node: ast.AST = ast.parse(source)
    except UNREADABLE:
        return None
    for part in parts:
        inner = [each for each in ast.iter_child_nodes(node) if isinstance(each, _DEFINITIONS) and each.name == part]
        if not inner:
            return None
        node = inner[-1]
    return node if isinstance(node, _DEFINITIONS) else None
