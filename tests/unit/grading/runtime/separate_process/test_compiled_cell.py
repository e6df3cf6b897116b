"""A compiled test cell survives packing; anything that was packed by another Python is ignored."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest

from pmh_jupyter.grading.runtime.separate_process.cells.compiled_cell import compile_cell, pack_cell, unpack_cell

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
def test_unpacked_cell_equals_the_compiled_one(source: str) -> None:
    compiled = compile_cell(source)
    assert compiled and unpack_cell(pack_cell(compiled)) == compiled


def test_cell_that_is_not_python_is_not_compiled() -> None:
    assert compile_cell("assert (") is None
    assert (pack_cell(None), unpack_cell("")) == ("", None)


def test_statement_that_cannot_be_compiled_raises_when_it_runs() -> None:
    compiled = compile_cell("assert x\nreturn 3")
    assert compiled and [statement.has_assertion for statement in compiled.statements] == [True, False]
    with pytest.raises(SyntaxError, match="outside function"):
        exec(compiled.statements[1].code)


def test_cell_of_another_python_version_is_ignored() -> None:
    raw = bytearray(b64decode(pack_cell(compile_cell("assert x"))))
    raw[0] ^= 1
    assert unpack_cell(b64encode(raw).decode()) is None
