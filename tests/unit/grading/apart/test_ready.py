"""Test cells made ready to run, and kept."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

import pytest

from pmh_jupyter.grading.inside.apart.ready import make_ready, packed, unpacked
from pmh_jupyter.grading.ready import KEPT, ReadyCells
from pmh_jupyter.grading.walls import Wall
from pmh_jupyter.grading.walls.none import NoContainment

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
    made = make_ready(source)
    assert made and unpacked(packed(made)) == made


def test_a_cell_that_is_no_python_is_not_kept() -> None:
    assert make_ready("assert (") is None
    assert (packed(None), unpacked("")) == ("", None)


def test_a_statement_that_cannot_be_compiled_is_found_at_its_turn() -> None:
    made = make_ready("assert x\nreturn 3")
    assert made and [check.asserts for check in made.checks] == [True, False]
    with pytest.raises(SyntaxError, match="outside function"):
        exec(made.checks[1].code)


def test_code_of_another_python_is_not_read() -> None:
    raw = bytearray(b64decode(packed(make_ready("assert x"))))
    raw[0] ^= 1
    assert unpacked(b64encode(raw).decode()) is None


class Maker:
    """Has cells made ready, and remembers which."""

    def __init__(self, *, broken: bool = False) -> None:
        self.asked: list[list[str]] = []
        self.broken = broken

    def __call__(self, sources: Sequence[str]) -> Sequence[str]:
        self.asked.append([*sources])
        return () if self.broken else [f"<{source}>" for source in sources]


@pytest.fixture
def wall() -> Wall:
    return NoContainment()


def test_a_cell_is_made_ready_when_it_is_seen_for_the_second_time(wall: Wall) -> None:
    cells, make = ReadyCells(), Maker()
    assert cells.of(wall, ["a", "b"], make) == {} and not make.asked
    assert cells.of(wall, ["b", "c"], make) == {"b": "<b>"}
    assert cells.of(wall, ["a", "b", "c"], make) == {"a": "<a>", "b": "<b>", "c": "<c>"}
    assert make.asked == [["b"], ["a", "c"]]


def test_a_cell_that_stands_twice_in_a_notebook_was_seen_once(wall: Wall) -> None:
    make = Maker()
    assert ReadyCells().of(wall, ["a", "a"], make) == {} and not make.asked


def test_what_cannot_be_made_ready_is_not_tried_again(wall: Wall) -> None:
    cells, make = ReadyCells(), Maker(broken=True)
    assert [cells.of(wall, ["a"], make) for _ in range(4)] == [{}] * 4
    assert make.asked == [["a"]]


def test_walls_may_have_other_pythons(wall: Wall) -> None:
    cells, make = ReadyCells(), Maker()
    for each in (wall, wall, NoContainment()):
        cells.of(each, ["a"], make)
    assert make.asked == [["a"]]


def test_only_the_last_are_kept(wall: Wall) -> None:
    cells, make = ReadyCells(), Maker()
    for _ in range(2):
        cells.of(wall, ["a"], make)
    cells.of(wall, [f"{number}" for number in range(KEPT)], make)
    assert cells.of(wall, ["a"], make) == {}
