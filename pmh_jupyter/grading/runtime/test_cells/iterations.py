"""Recognizes which iterations of a test have a fixed number of rounds.

`for got, wanted in zip(f(), expected): assert got == wanted` compares each item with a value of its own. A right answer has as many items
as the reference's. In `assert all(coin in coins for coin in change(30))`, the items only meet a condition, so a right answer may be
shorter.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from pmh_jupyter.python_source.names import get_called_name

_DISTANCE_FUNCTIONS = frozenset("abs fabs isclose allclose array_equal assertEqual assertAlmostEqual".split())
_NEIGHBOR_FUNCTIONS = frozenset({"pairwise", "combinations"})


def is_zip_call(node: ast.expr) -> bool:
    """Return whether a call of `zip` or `map` takes values from several sequences and ends with the shortest.

    Neighbors in one sequence (`zip(path, path[1:])`) and endless counts are excluded: they do not determine the number of values.
    """
    if not isinstance(node, ast.Call):
        return False
    sequences = node.args[1:] if get_called_name(node) == "map" else node.args
    is_endless = any(
        isinstance(part, ast.Call) and get_called_name(part) in ("count", "cycle", "repeat") for part in sequences
    )
    is_named = isinstance(node.func, ast.Name) and node.func.id in ("zip", "map")
    return is_named and len(_list_bases(sequences)) > 1 and not is_endless


def may_be_shorter(node: ast.AST) -> bool:
    """Return whether a right answer may give this loop, comprehension or call of `map` fewer rounds than the reference."""
    match node:
        case ast.For() | ast.AsyncFor():
            return _is_open([node.target], [node.iter], node.body)
        case ast.GeneratorExp() | ast.ListComp() | ast.SetComp():
            generators = node.generators
            conditions = [condition for generator in generators for condition in generator.ifs]
            return _is_open(
                [generator.target for generator in generators],
                [generator.iter for generator in generators],
                [node.elt, *conditions],
            )
        case ast.Call(func=ast.Name("map" | "filter"), args=[_, _]):
            return True
    return False


def _is_open(targets: Sequence[ast.expr], sequences: Sequence[ast.expr], parts: Sequence[ast.AST]) -> bool:
    if any(map(is_zip_call, sequences)):
        return False
    if any(map(_gives_neighbors, sequences)):
        return True
    names = _collect_names(targets)
    return not any(_uses_own_value(node, names) for part in parts for node in ast.walk(part))


def _gives_neighbors(node: ast.expr) -> bool:
    """Return whether this iterates over pairs of items of one sequence."""
    if not isinstance(node, ast.Call):
        return False
    is_zip_of_one = get_called_name(node) == "zip" and len(_list_bases(node.args)) == 1 < len(node.args)
    return is_zip_of_one or get_called_name(node) in _NEIGHBOR_FUNCTIONS


def _uses_own_value(node: ast.AST, names: set[str]) -> bool:
    """Return whether an expression compares two values that both change from item to item.

    names: those that the iteration binds. A value that contains a call may be another one each time, too.
    """
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq):
        sides = [node.left, node.comparators[0]]
    elif isinstance(node, ast.Call) and get_called_name(node) in _DISTANCE_FUNCTIONS:
        only = node.args[0] if len(node.args) == 1 else None
        sides = [only.left, only.right] if isinstance(only, ast.BinOp) else node.args[:2]
    else:
        return False
    used_names = [names & _collect_names([side]) for side in sides]
    if all(used_names):
        return len(set().union(*used_names)) > 1
    return any(used_names) and any(
        _contains_call(side) for side, used in zip(sides, used_names, strict=True) if not used
    )


def _contains_call(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Call) for inner in ast.walk(node))


def _collect_names(nodes: Sequence[ast.AST]) -> set[str]:
    return {inner.id for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _list_bases(sequences: Sequence[ast.expr]) -> set[str]:
    return {ast.unparse(part.value if isinstance(part, ast.Subscript) else part) for part in sequences}
