"""Which of a notebook's names a cell binds, and which it reads, as its source says."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

# What `ast.parse` raises over a text that is no Python: a lone surrogate is a ValueError, deep nesting one of the last two.
PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)


def find_bound_names(source: str) -> set[str]:
    """The global names that a cell binds; empty for a cell that is no Python."""
    try:
        return set(iter_bindings(ast.parse(source).body, at_module_level=True))
    except PARSE_ERRORS:
        return set()


def iter_bindings(nodes: Iterable[ast.AST], *, at_module_level: bool) -> Iterator[str]:
    """The global names that these nodes bind, each as often as it is bound; `top`: they stand in no function or class."""
    for node in nodes:
        if isinstance(node, ast.Global):
            yield from node.names
        elif at_module_level:
            yield from _names_bound_by(node)
        opens_scope = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
        yield from iter_bindings(ast.iter_child_nodes(node), at_module_level=at_module_level and not opens_scope)


def _names_bound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def find_read_names(source: str) -> set[str]:
    """Every name that a cell or anything defined in it reads; empty for a cell that is no Python."""
    try:
        tree = ast.parse(source)
    except PARSE_ERRORS:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
