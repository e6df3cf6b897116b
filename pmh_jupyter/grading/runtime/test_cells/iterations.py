"""Recognizes which iterations of a test have a fixed number of rounds.

`for got, wanted in zip(f(), expected): assert got == wanted` compares each item with a value of its own, and so does
`for i in range(len(result)): assert result[i] == expected[i]`. A right answer has as many items as the reference's. In
`assert all(coin in coins for coin in change(30))`, the items only meet a condition, so a right answer may be shorter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from pmh_jupyter.python_source.names import get_called_name

_EQUALITY_FUNCTIONS = frozenset(
    {
        *("isclose", "allclose", "array_equal", "assert_equal", "assert_allclose", "assert_almost_equal"),
        *("assert_array_equal", "assert_array_almost_equal", "assert_frame_equal", "assert_series_equal"),
        *("assertEqual", "assertAlmostEqual", "assertListEqual", "assertTupleEqual", "assertDictEqual"),
        *("assertSetEqual", "assertSequenceEqual", "assertCountEqual"),
    }
)
_NEIGHBOR_FUNCTIONS = frozenset({"pairwise", "combinations"})
# Their result is the same each time, unless their arguments change.
_PURE_FUNCTIONS = frozenset(
    {
        *("abs", "bool", "chr", "dict", "float", "frozenset", "int", "len", "list", "lower", "max", "min", "ord"),
        *("range", "round", "set", "sorted", "str", "strip", "sum", "tuple", "type", "upper"),
    }
)
# A distance below this number is a tolerance. Larger distances are conditions, as between the squares of a move.
_MAX_TOLERANCE = 0.5


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
            return _is_open([node.target, *_list_bound_in_body(node)], [node.iter], node.body)
        case ast.GeneratorExp() | ast.ListComp() | ast.SetComp():
            generators = node.generators
            conditions = [condition for generator in generators for condition in generator.ifs]
            return _is_open(
                [generator.target for generator in generators],
                [generator.iter for generator in generators],
                [_replace_difference(node.elt), *conditions],
            )
        case ast.Call(func=ast.Name("map" | "filter"), args=[ast.Lambda(args=parameters, body=body), sequence]):
            return _is_open([ast.Name(parameter.arg) for parameter in parameters.args], [sequence], [body])
        case ast.Call(func=ast.Name("map" | "filter"), args=[_, _]):
            return True
    return False


def _is_open(targets: Sequence[ast.expr], sequences: Sequence[ast.expr], parts: Sequence[ast.AST]) -> bool:
    if any(map(is_zip_call, sequences)):
        return False
    if any(map(_gives_neighbors, sequences)):
        return True
    names = _collect_names(targets)
    return not any(_have_own_value(sides, names) for part in parts for sides in _list_compared_sides(part))


def _replace_difference(node: ast.expr) -> ast.expr:
    """Return `a == b` for `a != b`: `not any(…)` requires that no items differ."""
    match node:
        case ast.Compare(left, [ast.NotEq()], comparators):
            return ast.Compare(left, [ast.Eq()], comparators)
    return node


def _list_bound_in_body(loop: ast.For | ast.AsyncFor) -> list[ast.expr]:
    """List the names that statements of a loop bind or change: values that change from item to item."""
    targets: list[ast.expr] = []
    for statement in loop.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign):
                targets += node.targets
            elif isinstance(node, ast.AugAssign):
                targets.append(node.target)
    return targets


def _gives_neighbors(node: ast.expr) -> bool:
    """Return whether this iterates over pairs of items of one sequence."""
    if not isinstance(node, ast.Call):
        return False
    is_zip_of_one = get_called_name(node) == "zip" and len(_list_bases(node.args)) == 1 < len(node.args)
    return is_zip_of_one or get_called_name(node) in _NEIGHBOR_FUNCTIONS


def _list_compared_sides(part: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """List the pairs of expressions that a statement or an expression requires to be equal, except in one of several alternatives."""
    if isinstance(part, ast.BoolOp) and isinstance(part.op, ast.Or):
        return
    match part:
        case ast.Compare(left, [ast.Eq()], [right]):
            yield left, right
        case ast.Compare(left, [ast.Lt() | ast.LtE()], [bound]) if _may_be_tolerance(bound):
            for node in ast.walk(left):
                if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Div):
                    yield node.left, node.right
        case ast.Call(args=[first, second, *_]) if get_called_name(part) in _EQUALITY_FUNCTIONS:
            yield first, second
    for child in ast.iter_child_nodes(part):
        yield from _list_compared_sides(child)


def _may_be_tolerance(bound: ast.expr) -> bool:
    return not (
        isinstance(bound, ast.Constant) and isinstance(bound.value, int | float) and bound.value > _MAX_TOLERANCE
    )


def _have_own_value(sides: tuple[ast.expr, ast.expr], names: set[str]) -> bool:
    """Return whether these expressions compare two values that both change from item to item.

    names: those that the iteration binds. Two expressions of one item (`word == word.lower()`) are a condition, unless the item is a key
    with which the expressions look values up in different places (`result[i] == expected[i]`).
    """
    used_names = [names & _collect_names([side]) for side in sides]
    if all(used_names):
        return len(set().union(*used_names)) > 1 or _are_looked_up_in_different_places(sides, names)
    return any(used_names) and any(
        _may_change_each_time(side) for side, used in zip(sides, used_names, strict=True) if not used
    )


def _are_looked_up_in_different_places(sides: tuple[ast.expr, ast.expr], names: set[str]) -> bool:
    containers = [_list_containers(side, names) for side in sides]
    if all(containers):
        return containers[0].isdisjoint(containers[1])
    return any(containers) and any(
        _uses_part(node, names)
        for side, side_containers in zip(sides, containers, strict=True)
        if not side_containers
        for node in ast.walk(side)
    )


def _uses_part(node: ast.AST, names: set[str]) -> bool:
    """Return whether an expression is a part of an item, or computed from it by a call."""
    match node:
        case ast.Call():
            return bool(names & _collect_names(node.args))
        case ast.Attribute(value=value) | ast.Subscript(value=value):
            return bool(names & _collect_names([value]))
    return False


def _list_containers(side: ast.expr, names: set[str]) -> set[str]:
    """List the expressions, as text, in which an item is looked up."""
    containers = set()
    for node in ast.walk(side):
        match node:
            case ast.Subscript(value=container, slice=key) | ast.Call(ast.Attribute(container, "get"), [key, *_]):
                if names & _collect_names([key]):
                    containers.add(ast.unparse(container))
    return containers


def _may_change_each_time(side: ast.expr) -> bool:
    return any(isinstance(node, ast.Call) and get_called_name(node) not in _PURE_FUNCTIONS for node in ast.walk(side))


def _collect_names(nodes: Sequence[ast.AST]) -> set[str]:
    return {inner.id for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _list_bases(sequences: Sequence[ast.expr]) -> set[str]:
    return {ast.unparse(part.value if isinstance(part, ast.Subscript) else part) for part in sequences}
