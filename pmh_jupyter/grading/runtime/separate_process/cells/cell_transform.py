"""Transforms the statements of a test cell so that they run in the judge as they would in the notebook."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from pmh_jupyter.grading.runtime.proxies import importable_objects

TYPE_FUNCTION, MODULE_FUNCTION, CODE_FUNCTION, FORMAT_FUNCTION = "_pmh_type", "_pmh_module", "_pmh_code", "_pmh_format"


def transform_statement(node: ast.stmt) -> ast.stmt:
    """Return the transformed statement.

    - `type(x)` returns the class that the object has in the notebook.
    - Imports of modules whose state belongs to the student (`matplotlib.pyplot`) return a proxy of the student's module.
    - The first argument of `eval` and `exec` is checked against the strings of the release, and so is a template for `str.format`.
    """
    transformed_node: Any = _StatementTransformer().visit(node)
    if isinstance(transformed_node, list):
        transformed_node = ast.copy_location(ast.If(ast.Constant(True), transformed_node, []), node)
    statement: ast.stmt = transformed_node
    return statement


class _StatementTransformer(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "type" and len(node.args) == 1 and not node.keywords:
            node.func = ast.copy_location(ast.Name(TYPE_FUNCTION, ast.Load()), node.func)
        elif isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec") and node.args:
            code_argument = ast.Call(
                ast.Name(CODE_FUNCTION, ast.Load()), [node.args[0], ast.Constant(node.func.id)], []
            )
            node.args[0] = ast.copy_location(code_argument, node.args[0])
        elif (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in ("format", "format_map")
            and not isinstance(node.func.value, ast.Constant)
        ):
            format_method = ast.Call(
                ast.Name(FORMAT_FUNCTION, ast.Load()), [node.func.value, ast.Constant(node.func.attr)], []
            )
            node.func = ast.copy_location(format_method, node.func)
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST | list[ast.stmt]:
        """`import matplotlib.pyplot as plt`"""
        stateful_aliases = [
            alias for alias in node.names if alias.asname and alias.name in importable_objects.STATEFUL_MODULES
        ]
        return _redirect_imports(
            node, [(str(alias.asname), alias.name) for alias in stateful_aliases], stateful_aliases
        )

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt]:
        """`from matplotlib import pyplot as plt`"""
        stateful_aliases = [
            alias for alias in node.names if f"{node.module}.{alias.name}" in importable_objects.STATEFUL_MODULES
        ]
        return _redirect_imports(
            node,
            [(alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in stateful_aliases],
            stateful_aliases,
        )


def _redirect_imports(
    node: ast.Import | ast.ImportFrom, redirected_names: list[tuple[str, str]], stateful_aliases: list[ast.alias]
) -> ast.AST | list[ast.stmt]:
    if not stateful_aliases:
        return node
    node.names = [alias for alias in node.names if alias not in stateful_aliases]
    assignments = [ast.copy_location(statement, node) for statement in _iter_assignments(redirected_names)]
    return [*([node] if node.names else []), *assignments]


def _iter_assignments(redirected_names: list[tuple[str, str]]) -> Iterator[ast.stmt]:
    for name, module in redirected_names:
        call = ast.Call(ast.Name(MODULE_FUNCTION, ast.Load()), [ast.Constant(module)], [])
        yield ast.Assign([ast.Name(name, ast.Store())], call)
