"""Which names a cell binds and uses, read without running it. Never raises, whatever a student wrote."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pmh_jupyter.domain.python_syntax import PARSE_ERRORS, parse

MAX_CHARACTERS = 100_000  # nobody writes more by hand, and a syntax tree takes a hundred times its source's memory
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_MAGIC = re.compile(r"^([ \t]*)(?:%|!|\?).*$", re.MULTILINE)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class CellNames:
    """`bound` at the cell's top level, in blocks too; `used` anywhere; `parsed`: False for what is no Python, and then by its words."""

    bound: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    is_parsed: bool = True


@lru_cache(256)  # the release's cells are the same for every submission
def analyze_names(source: str) -> CellNames:
    """The names of one cell; magics and shell lines count as nothing."""
    if len(source) > MAX_CHARACTERS:
        return CellNames(is_parsed=False)
    tree = _try_parse(source) or _try_parse(_MAGIC.sub(r"\1pass", source))
    if tree is None:
        return CellNames(used=find_identifiers(source), is_parsed=False)
    nodes = ast.walk(tree)
    used = frozenset(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return CellNames(frozenset(_find_bound_names(tree)), used)


def find_identifiers(source: str) -> frozenset[str]:
    """Everything in a text that could be a name."""
    return frozenset(_IDENTIFIER.findall(source[:MAX_CHARACTERS]))


def _try_parse(source: str) -> ast.Module | None:
    try:
        return parse(source)
    except PARSE_ERRORS:
        return None


def _find_bound_names(tree: ast.Module) -> Iterator[str]:
    """Without going into functions and classes; a stack of our own, because a student's blocks may be nested deeply."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, _DEFINITIONS):
            yield node.name
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        if not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            pending.extend(ast.iter_child_nodes(node))
