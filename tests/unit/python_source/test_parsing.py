"""Parsing Python source: invalid source and concurrent threads."""

from __future__ import annotations

import ast
import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pmh_jupyter.python_source.parsing import PARSE_ERRORS, parse

NESTED = "x = " + "(" * 40 + "1" + ",)" * 40 + "\n"


@pytest.mark.parametrize("source", ["x =", "x = '\ud800'", "x = 1\0", "(" * 10_000, "-" * 200_000 + "1"])
def test_invalid_source_raises_a_parse_error(source: str) -> None:
    with pytest.raises(PARSE_ERRORS):
        parse(source)


def test_tree_equals_that_of_ast() -> None:
    assert ast.dump(parse("x = 1")) == ast.dump(parse(b"x = 1")) == ast.dump(ast.parse("x = 1"))
    assert parse("await f()").body


@pytest.fixture
def frequent_garbage_collection() -> Iterator[None]:
    """Run the garbage collector often and switches threads each time, as a finalizer may."""

    def switch_thread(phase: str, info: dict[str, int]) -> None:
        time.sleep(0)

    threshold = gc.get_threshold()
    gc.callbacks.append(switch_thread)
    gc.set_threshold(20)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(switch_thread)


@pytest.mark.usefixtures("frequent_garbage_collection")
def test_concurrent_parsing_succeeds_while_the_collector_switches_threads() -> None:
    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(parse, [NESTED] * 40))
    assert {ast.dump(tree) for tree in trees} == {ast.dump(trees[0])}
