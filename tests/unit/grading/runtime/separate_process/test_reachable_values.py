"""A statement can depend on a value only if it reaches the value through the names that it reads."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pmh_jupyter.grading.runtime.separate_process.cells.reachable_values import MAX_OBJECTS, reads_any_value
from pmh_jupyter.grading.runtime.test_cells.code_filenames import TEST_CELL_FILENAME

SETUP = """
import functools, itertools, math
data = [3, 1, 2]
row = [data]
holder = {"a": ({"b": data},)}
other = [3, 1, 2]
def read(): return data[0]
def read_indirectly(): return read()
def read_other(): return other
def make_reader(value): return lambda: value
reader = make_reader(data)
def has_default(value=data): return value
partial = functools.partial(len, data)
iterator = iter(data)
chain = itertools.chain([1], data)
generator = (x for x in data)
class Case:
    values = data
    def read(self): return data
class Own:
    def __init__(self, value): self.value = value
case = Case()
own = Own(data)
bound = own.__init__
"""


def reads(source: str, namespace: dict[str, Any], *values: Any) -> bool:
    return reads_any_value(compile(source, TEST_CELL_FILENAME, "exec"), [namespace], values)


def make_namespace() -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(SETUP, TEST_CELL_FILENAME, "exec"), namespace)
    return namespace


@pytest.mark.parametrize(
    "source",
    [
        *("data", "row", "len(holder)", "read()", "read_indirectly()", "reader()", "has_default()", "partial()"),
        *("next(iterator)", "next(chain)", "next(generator)", "case.values", "Case", "own", "bound", "[lambda: data]"),
        *("eval('da' + 'ta')", "globals()"),
    ],
)
def test_value_is_reached(source: str) -> None:
    namespace = make_namespace()
    assert reads(source, namespace, namespace["data"])


@pytest.mark.parametrize(
    "source", ["other", "read_other()", "math.sqrt(4)", "Own(other)", "len('data')", "undefined", "functools", "Own"]
)
def test_value_is_not_reached(source: str) -> None:
    namespace = make_namespace()
    assert not reads(source, namespace, namespace["data"])


def test_array_is_reached_through_memory_that_it_shares() -> None:
    array = np.arange(6)
    namespace = {"view": array[1:3], "copy": array.copy(), "objects": np.array([None, array], dtype=object)}
    assert reads("view", namespace, array) and reads("objects", namespace, array)
    assert not reads("copy", namespace, array)


def test_too_many_objects_are_taken_to_reach_the_value() -> None:
    assert reads("many", {"many": [[number] for number in range(MAX_OBJECTS)]}, [])
    assert not reads("few", {"few": [[number] for number in range(1000)]}, [])


def test_libraries_are_not_searched() -> None:
    sys.modules["math"].__dict__.setdefault("_pmh_probe", probe := [1])
    try:
        assert not reads("m", {"m": SimpleNamespace(module=sys.modules["math"])}, probe)
    finally:
        del sys.modules["math"].__dict__["_pmh_probe"]
