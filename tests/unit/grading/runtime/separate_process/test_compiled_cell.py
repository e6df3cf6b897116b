"""Test cells made ready to run, and kept."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

import pytest

from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from pmh_jupyter.grading.compiled_cell_cache import CACHE_SIZE, CompiledCellCache
from pmh_jupyter.grading.runtime.separate_process.compiled_cell import compile_cell, pack_cell, unpack_cell

CELLS = [
    "assert x == 3, 'three'",
    "# feedback: Mind the sign.\nassert x != -3 and f(1) == [1]\n0.5",
    "### BEGIN HIDDEN TESTS\nassert secret(1) == 'expected'\n### END HIDDEN TESTS\nassert y",
    "class C(Base):\n    size = width\nassert C().size == 3",
    "def check(f):\n    assert f(2) == 4\ncheck(double)",
    "with raises(ValueError):\n    f(-1)",
    "import matplotlib.pyplot as plt\nassert type(plt.gca()) is object",
    "%matplotlib inline\nassert x",
    "assert eval('1 + 1') == 2",
    "",
]


@pytest.mark.parametrize("source", CELLS)
def test_what_was_kept_is_what_was_made(source: str) -> None:
    made = compile_cell(source)
    assert made and unpack_cell(pack_cell(made)) == made


def test_a_cell_that_is_no_python_is_not_kept() -> None:
    assert compile_cell("assert (") is None
    assert (pack_cell(None), unpack_cell("")) == ("", None)


def test_a_statement_that_cannot_be_compiled_is_found_at_its_turn() -> None:
    made = compile_cell("assert x\nreturn 3")
    assert made and [check.has_assertion for check in made.checks] == [True, False]
    with pytest.raises(SyntaxError, match="outside function"):
        exec(made.checks[1].code)


def test_code_of_another_python_is_not_read() -> None:
    raw = bytearray(b64decode(pack_cell(compile_cell("assert x"))))
    raw[0] ^= 1
    assert unpack_cell(b64encode(raw).decode()) is None


class Maker:
    """Has cells made ready, and remembers which."""

    def __init__(self, *, broken: bool = False) -> None:
        self.asked: list[list[str]] = []
        self.broken = broken

    def __call__(self, sources: Sequence[str]) -> Sequence[str]:
        self.asked.append([*sources])
        return () if self.broken else [f"<{source}>" for source in sources]


@pytest.fixture
def wall() -> SandboxBackend:
    return UnsandboxedBackend()


def test_a_cell_is_made_ready_when_it_is_seen_for_the_second_time(wall: SandboxBackend) -> None:
    cells, make = CompiledCellCache(), Maker()
    assert cells.get_or_compile(wall, ["a", "b"], make) == {} and not make.asked
    assert cells.get_or_compile(wall, ["b", "c"], make) == {"b": "<b>"}
    assert cells.get_or_compile(wall, ["a", "b", "c"], make) == {"a": "<a>", "b": "<b>", "c": "<c>"}
    assert make.asked == [["b"], ["a", "c"]]


def test_a_cell_that_stands_twice_in_a_notebook_was_seen_once(wall: SandboxBackend) -> None:
    make = Maker()
    assert CompiledCellCache().get_or_compile(wall, ["a", "a"], make) == {} and not make.asked


def test_what_cannot_be_made_ready_is_not_tried_again(wall: SandboxBackend) -> None:
    cells, make = CompiledCellCache(), Maker(broken=True)
    assert [cells.get_or_compile(wall, ["a"], make) for _ in range(4)] == [{}] * 4
    assert make.asked == [["a"]]


def test_walls_may_have_other_pythons(wall: SandboxBackend) -> None:
    cells, make = CompiledCellCache(), Maker()
    for each in (wall, wall, UnsandboxedBackend()):
        cells.get_or_compile(each, ["a"], make)
    assert make.asked == [["a"]]


def test_only_the_last_are_kept(wall: SandboxBackend) -> None:
    cells, make = CompiledCellCache(), Maker()
    for _ in range(2):
        cells.get_or_compile(wall, ["a"], make)
    cells.get_or_compile(wall, [f"{number}" for number in range(CACHE_SIZE)], make)
    assert cells.get_or_compile(wall, ["a"], make) == {}
