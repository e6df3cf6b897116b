"""Finds the source of the student's functions and classes in the judge's copy of the cells."""

from __future__ import annotations

import ast

from pmh_jupyter.python_source.lines import split_source_lines
from pmh_jupyter.python_source.parsing import PARSE_ERRORS
from pmh_jupyter.python_source.plain_python import to_plain_python

_DEFINITION_NODES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class DefinitionSources:
    """The source of the cells that have run."""

    def __init__(self) -> None:
        self.cells: list[str] = []

    def add(self, source: str) -> None:
        """Add a cell that has run."""
        self.cells.append(source)

    def find(self, qualname: str) -> str | None:
        """Return the source of the last definition with this qualified name, or None."""
        parts = [part for part in qualname.split(".") if part != "<locals>"]
        for source in reversed(self.cells):
            python_source = to_plain_python(source) or ""
            node = _find_definition(python_source, parts)
            if node is not None:
                first_line = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                lines = split_source_lines(python_source, keepends=True)[first_line - 1 : node.end_lineno]
                return "".join(lines).rstrip("\n") + "\n"
        return None


def _find_definition(source: str, parts: list[str]) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None:
    try:
        node: ast.AST = ast.parse(source)
    except PARSE_ERRORS:
        return None
    for part in parts:
        definitions = [
            child for child in ast.iter_child_nodes(node) if isinstance(child, _DEFINITION_NODES) and child.name == part
        ]
        if not definitions:
            return None
        node = definitions[-1]
    return node if isinstance(node, _DEFINITION_NODES) else None
