"""Finds values that the source of the product defines and never reads. Tests are no part of the product.

- A constant of a module is read if its module loads the name, another module imports it, or the name is loaded as an attribute.
- A member of an enum is read as an attribute of its class, of `self` or of `cls`. A look-up by value, `Role("student")`, is not seen.
- A column of a table is read if `storage`, outside of the module that defines the table, loads an attribute of its name: no other package
  uses rows. Assigning an attribute and passing a keyword argument write a column.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

CONSTANT_NAME = re.compile("_?[A-Z][A-Z0-9_]*")
STORAGE_PACKAGE = "storage"
Nodes = list[ast.AST]


def find_unread_values(root: Path, *names: str) -> set[str]:
    """Return the unread values of the modules below `root`: `module.NAME`, `Enum.MEMBER` and `Row.column`.

    names: packages (folders) and modules (files) to read.
    """
    paths = [path for name in names for path in (sorted((root / name).rglob("*.py")) or [root / name])]
    modules = {path.relative_to(root): list(ast.walk(ast.parse(path.read_text(encoding="utf-8")))) for path in paths}
    return {*_find_unread_constants(modules), *_find_unread_members(modules), *_find_unread_columns(modules)}


def _find_unread_constants(modules: Mapping[Path, Nodes]) -> Iterator[str]:
    every_node = list(chain.from_iterable(modules.values()))
    imports = [node for node in every_node if isinstance(node, ast.ImportFrom)]
    imported = {(node.module, alias.name) for node in imports for alias in node.names}
    attributes = {node.attr for node in _loaded_attributes(every_node)}
    for path, nodes in modules.items():
        module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        loaded = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        for name in _assigned_names(nodes[0]):
            if CONSTANT_NAME.fullmatch(name) and name not in loaded | attributes and (module, name) not in imported:
                yield f"{module}.{name}"


def _find_unread_members(modules: Mapping[Path, Nodes]) -> Iterator[str]:
    every_node = list(chain.from_iterable(modules.values()))
    loaded = {(_last_name(node.value), node.attr) for node in _loaded_attributes(every_node)}
    for class_ in _classes(every_node):
        if any((_last_name(base) or "").endswith(("Enum", "Flag")) for base in class_.bases):
            for name in _assigned_names(class_):
                is_member = not name.startswith("_")
                if is_member and not {(class_.name, name), ("self", name), ("cls", name)} & loaded:
                    yield f"{class_.name}.{name}"


def _find_unread_columns(modules: Mapping[Path, Nodes]) -> Iterator[str]:
    columns_by_path = {
        path: [(class_.name, name) for class_ in _classes(nodes) for name in _column_names(class_)]
        for path, nodes in modules.items()
    }
    loaded = {
        node.attr
        for path, nodes in modules.items()
        if STORAGE_PACKAGE in path.parts and not columns_by_path[path]
        for node in _loaded_attributes(nodes)
    }
    for table, name in chain.from_iterable(columns_by_path.values()):
        if name not in loaded:
            yield f"{table}.{name}"


def _column_names(class_: ast.ClassDef) -> Iterator[str]:
    for statement in class_.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.annotation, ast.Subscript):
            if isinstance(statement.target, ast.Name) and _last_name(statement.annotation.value) == "Mapped":
                yield statement.target.id


def _assigned_names(block: ast.AST) -> Iterator[str]:
    """Yield the names that the statements of a module or a class assign, names in tuples included."""
    for statement in block.body if isinstance(block, ast.Module | ast.ClassDef) else ():
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value:
            targets = [statement.target]
        yield from (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))


def _loaded_attributes(nodes: Nodes) -> list[ast.Attribute]:
    return [node for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)]


def _classes(nodes: Nodes) -> list[ast.ClassDef]:
    return [node for node in nodes if isinstance(node, ast.ClassDef)]


def _last_name(node: ast.expr) -> str | None:
    """Return the last name of `a`, `module.a`, …; None for another expression."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None
