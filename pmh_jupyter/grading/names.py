"""Which names a cell binds and uses, read without running it. Never raises, whatever a student wrote."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pmh_jupyter.domain.syntax import UNREADABLE, parse

MOST_CHARACTERS = 100_000  # nobody writes more by hand, and a syntax tree takes a hundred times its source's memory
_WORD = re.compile(r"[^\W\d]\w*")
_MAGIC = re.compile(r"^([ \t]*)(?:%|!|\?).*$", re.MULTILINE)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Names:
    """`bound` at the cell's top level, in blocks too; `used` anywhere; `parsed`: False for what is no Python, and then by its words."""

    bound: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    parsed: bool = True


@lru_cache(256)  # the release's cells are the same for every submission
def names_of(source: str) -> Names:
    """The names of one cell; magics and shell lines count as nothing."""
    if len(source) > MOST_CHARACTERS:
        return Names(parsed=False)
    tree = _parse(source) or _parse(_MAGIC.sub(r"\1pass", source))
    if tree is None:
        return Names(used=words_of(source), parsed=False)
    nodes = ast.walk(tree)
    used = frozenset(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return Names(frozenset(_bound(tree)), used)


def words_of(source: str) -> frozenset[str]:
    """Everything in a text that could be a name."""
    return frozenset(_WORD.findall(source[:MOST_CHARACTERS]))


def _parse(source: str) -> ast.Module | None:
    try:
        return parse(source)
    except UNREADABLE:
        return None


def _bound(tree: ast.Module) -> Iterator[str]:
    """Without going into functions and classes; a stack of our own, because a student's blocks may be nested deeply."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        if isinstance(node, _DEFINITIONS):
            yield node.name
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        if not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            left.extend(ast.iter_child_nodes(node))
