"""Python read without being run: what comes of text that is no Python, and of many threads."""

from __future__ import annotations

import ast
import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pmh_jupyter.domain.python_syntax import PARSE_ERRORS, parse

NESTED = "x = " + "(" * 40 + "1" + ",)" * 40 + "\n"


@pytest.mark.parametrize("source", ["x =", "x = '\ud800'", "x = 1\0", "(" * 10_000, "-" * 200_000 + "1"])
def test_what_is_no_python(source: str) -> None:
    with pytest.raises(PARSE_ERRORS):
        parse(source)


def test_a_tree() -> None:
    assert ast.dump(parse("x = 1")) == ast.dump(parse(b"x = 1")) == ast.dump(ast.parse("x = 1"))
    assert parse("await f()", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT).body


@pytest.fixture
def collecting() -> Iterator[None]:
    """The garbage collector at work all the time, and each time handing over to another thread, as a finalizer may."""

    def hand_over(phase: str, info: dict[str, int]) -> None:
        time.sleep(0)

    threshold = gc.get_threshold()
    gc.callbacks.append(hand_over)
    gc.set_threshold(20)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(hand_over)


@pytest.mark.usefixtures("collecting")
def test_threads_do_not_disturb_each_other() -> None:
    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(parse, [NESTED] * 40))
    assert {ast.dump(tree) for tree in trees} == {ast.dump(trees[0])}
