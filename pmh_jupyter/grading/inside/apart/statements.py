"""Statements of a test cell, made ready to run apart from the notebook."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from . import library

TYPE, MODULE, TEXT = "_pmh_type", "_pmh_module", "_pmh_text"


def prepare(node: ast.stmt) -> ast.stmt:
    """The statement with `type(x)` asking for the class that is shown, imports of modules whose state is the student's led there, and
    texts that it evaluates looked at before."""
    changed: Any = _Prepare().visit(node)
    if isinstance(changed, list):
        changed = ast.copy_location(ast.If(ast.Constant(True), changed, []), node)
    made: ast.stmt = changed
    return made


def class_body_names(node: ast.stmt) -> set[str]:
    """Names that class bodies in this statement load: Python looks them up in a way that asks nobody."""
    return {
        name.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.ClassDef)
        for part in inner.body
        for name in ast.walk(part)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load)
    }


class _Prepare(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "type" and len(node.args) == 1 and not node.keywords:
            node.func = ast.copy_location(ast.Name(TYPE, ast.Load()), node.func)
        elif isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec") and node.args:
            text = ast.Call(ast.Name(TEXT, ast.Load()), [node.args[0], ast.Constant(node.func.id)], [])
            node.args[0] = ast.copy_location(text, node.args[0])
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST | list[ast.stmt]:
        """`import matplotlib.pyplot as plt`"""
        stateful = [alias for alias in node.names if alias.asname and alias.name in library.STATEFUL]
        return _led(node, [(str(alias.asname), alias.name) for alias in stateful], stateful)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt]:
        """`from matplotlib import pyplot as plt`"""
        stateful = [alias for alias in node.names if f"{node.module}.{alias.name}" in library.STATEFUL]
        return _led(node, [(alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in stateful], stateful)


def _led(
    node: ast.Import | ast.ImportFrom, wanted: list[tuple[str, str]], stateful: list[ast.alias]
) -> ast.AST | list[ast.stmt]:
    if not stateful:
        return node
    node.names = [alias for alias in node.names if alias not in stateful]
    made = [ast.copy_location(statement, node) for statement in _assignments(wanted)]
    return [*([node] if node.names else []), *made]


def _assignments(wanted: list[tuple[str, str]]) -> Iterator[ast.stmt]:
    for name, module in wanted:
        call = ast.Call(ast.Name(MODULE, ast.Load()), [ast.Constant(module)], [])
        yield ast.Assign([ast.Name(name, ast.Store())], call)
