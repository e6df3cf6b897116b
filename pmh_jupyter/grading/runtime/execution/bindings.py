"""Name analysis of cells in the runtime: which names a cell binds, reads and imports, from its syntax tree alone.

`grading.name_analysis` analyzes the scopes of a cell in more detail. It is for the host, and also analyzes cells that are not valid Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from enum import Enum, auto

# Exceptions that `ast.parse` raises for a string that is not Python: ValueError for a lone surrogate, the last two for deep nesting.
# The same as `domain.python_syntax.PARSE_ERRORS`, which the runtime cannot import.
PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)

_FUNCTION_NODES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSION_NODES = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class _Scope(Enum):
    """The scope of a node. In a comprehension at module level, only `:=` binds a global name."""

    MODULE = auto()
    COMPREHENSION = auto()
    NESTED = auto()


def find_bound_names(source: str) -> set[str]:
    """Return the global names that a cell binds or deletes. Empty for a cell that is not valid Python.

    Names that `from module import *` binds are not known without running it, and are left out.
    """
    try:
        return set(iter_bindings(ast.parse(source).body))
    except PARSE_ERRORS:
        return set()


def find_names_bound_in_any_scope(source: str) -> set[str]:
    """Return every name that a cell binds: global names, local names, and parameters. Empty for a cell that is not valid Python."""
    try:
        nodes = [*ast.walk(ast.parse(source))]
    except PARSE_ERRORS:
        return set()
    names = {name for node in nodes for name in iter_names_bound_by_node(node)}
    return names | {node.arg for node in nodes if isinstance(node, ast.arg)}


def iter_bindings(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield the global names that module-level statements bind or delete, each once for every binding.

    Functions, lambdas and class bodies bind no global names, except those that they declare `global`.
    """
    pending_nodes: list[tuple[ast.AST, _Scope]] = [(statement, _Scope.MODULE) for statement in statements]
    while pending_nodes:  # not by recursion: a student's expression may be nested deeply
        node, scope = pending_nodes.pop()
        if isinstance(node, ast.Global):
            yield from node.names
        elif scope is _Scope.MODULE:
            yield from iter_names_bound_by_node(node)
        elif scope is _Scope.COMPREHENSION and isinstance(node, ast.NamedExpr):
            yield node.target.id
        pending_nodes.extend(_iter_children(node, scope))


def _iter_children(node: ast.AST, scope: _Scope) -> Iterator[tuple[ast.AST, _Scope]]:
    """Yield the children of a node with their scopes. Decorators, defaults and base classes belong to the scope around a definition."""
    if isinstance(node, _COMPREHENSION_NODES) and scope is _Scope.MODULE:
        scope = _Scope.COMPREHENSION
    opens_scope = isinstance(node, (*_FUNCTION_NODES, ast.ClassDef))
    for field, value in ast.iter_fields(node):
        child_scope = _Scope.NESTED if opens_scope and field == "body" else scope
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child, child_scope


def iter_names_bound_by_node(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node itself binds in its scope, without those that its children bind."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.alias) and node.name != "*":
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def find_read_names(source: str) -> set[str]:
    """Return every name that a cell reads in any scope, local names included. Empty for a cell that is not valid Python."""
    try:
        return set(iter_read_names(ast.parse(source)))
    except PARSE_ERRORS:
        return set()


def iter_read_names(node: ast.AST) -> Iterator[str]:
    """Yield every name that a syntax tree reads in any scope, as often as it is read."""
    return (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load))


def collect_class_body_names(node: ast.stmt) -> set[str]:
    """Return the names that class bodies in this statement load. Python looks these up without calling `__missing__` of the globals."""
    return {
        name.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.ClassDef)
        for part in inner.body
        for name in ast.walk(part)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load)
    }


def find_imported_modules(source: str) -> set[str]:
    """Return the full names of the modules that a cell imports, relative imports excluded. Empty for a cell that is not valid Python."""
    try:
        nodes = [*ast.walk(ast.parse(source))]
    except PARSE_ERRORS:
        return set()
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {
        node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }
