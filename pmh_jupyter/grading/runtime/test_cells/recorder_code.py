"""Compiles rewritten statements, which call the recorder and read pinned names from it.

The recorder is a constant of the code, not the value of a name, which the student's code could rebind.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection
from types import CodeType

RECORDER_PLACEHOLDER = "\0pmh recorder"
# Builtins that tests patch themselves, and `super`, which the compiler must see by name.
UNPINNED_BUILTINS = frozenset("input print open super help exit quit copyright credits license".split())
PINNED_BUILTINS = frozenset(name for name in vars(builtins) if not name.startswith("_")) - UNPINNED_BUILTINS


def compile_with_recorder(node: ast.stmt, recorder: object, filename: str) -> CodeType:
    """Compile a rewritten statement that calls this recorder."""
    return insert_recorder(compile_statement(node, filename), recorder)


def compile_statement(node: ast.stmt, filename: str) -> CodeType:
    """Compile a rewritten statement with a placeholder in place of the recorder."""
    module = ast.fix_missing_locations(ast.Module([node], type_ignores=[]))
    code: CodeType = compile(module, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return code


def insert_recorder(code: CodeType, recorder: object) -> CodeType:
    """Return the code with the recorder in place of `RECORDER_PLACEHOLDER`, in nested code too."""
    constants = tuple(
        recorder
        if constant == RECORDER_PLACEHOLDER
        else insert_recorder(constant, recorder)
        if isinstance(constant, CodeType)
        else constant
        for constant in code.co_consts
    )
    return code.replace(co_consts=constants)


class NamePinner(ast.NodeTransformer):
    """Lets a rewritten statement read pinned names from the recorder, not from the notebook."""

    def __init__(self, pinned: Collection[str]) -> None:
        self.pinned = frozenset(pinned)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in self.pinned:
            pinned_values = ast.Attribute(ast.Constant(RECORDER_PLACEHOLDER), "pinned_values", ast.Load())
            return ast.copy_location(ast.Attribute(pinned_values, node.id, ast.Load()), node)
        return node
