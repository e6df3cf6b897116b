"""Test helpers: functions of locked cells, defined again from their source with the imports and constants of their cell only."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.test_cells.assertion_recorder import AssertionRecorder
from pmh_jupyter.grading.runtime.test_cells.class_provenance import ClassProvenance
from pmh_jupyter.grading.runtime.test_cells.comparison import HardenedComparator
from pmh_jupyter.grading.runtime.test_cells.recorded_usage import record_cell_usage
from pmh_jupyter.grading.runtime.test_cells.test_helpers import TestHelpers


def _define_helpers(*cells: str, notebook: dict[str, Any] | None = None) -> TestHelpers:
    """Return the helpers that these cells define, ready for a test cell."""
    helpers = TestHelpers()
    for cell in cells:
        helpers.add_cell(cell, notebook)
    recorder = AssertionRecorder(
        HardenedComparator(ClassProvenance(), lambda code, detail: None), sites=helpers.recorder_delegate.sites
    )
    helpers.begin_test_cell(recorder, (notebook or {}).__getitem__)
    return helpers


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        pytest.param("def f(): pass\nasync def g(): pass", {"f", "g"}, id="functions"),
        pytest.param("class C: pass\nx = load()", set(), id="neither functions nor literals"),
        pytest.param("f = lambda: 1\nx = 3\ny = f", {"f", "x", "y"}, id="lambda, literal and alias"),
        pytest.param("import re\nword = re.compile('[a-z]+')", {"word"}, id="compiled pattern"),
        pytest.param("if True:\n    def f(): pass", set(), id="conditional definition"),
        pytest.param("def f(): pass\ndef f(): return 1", set(), id="defined twice"),
        pytest.param("def f(): pass\nf = cached(f)", set(), id="bound again"),
        pytest.param("def f(x=LIMIT): pass", set(), id="default of the notebook"),
        pytest.param("LIMIT = 3\ndef f(x=LIMIT): pass", {"f", "LIMIT"}, id="default of the cell"),
        pytest.param("@wraps\ndef f(): pass", set(), id="decorator of the notebook"),
        pytest.param("import functools\n@functools.cache\ndef f(): pass", {"f"}, id="imported decorator"),
        pytest.param("def f():\n    global count\n    count = 1", set(), id="global statement"),
        pytest.param("def f(point: Point) -> Point: pass", {"f"}, id="annotations"),
        pytest.param("def f(: pass", set(), id="no Python"),
    ],
)
def test_definitions_that_need_nothing_of_the_notebook_become_helpers(cell: str, names: set[str]) -> None:
    assert set(_define_helpers(cell)) == names


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param("LIMIT = 3\ndef f(): return LIMIT", 3, id="constant"),
        pytest.param("LOW, HIGH = -1, 2 * 5\ndef f(): return HIGH - LOW", 11, id="computed constants"),
        pytest.param("CASES = [(1, 2)]\ndef f(): return CASES", [(1, 2)], id="list constant"),
        pytest.param("import math\ndef f(): return math.floor(2.5)", 2, id="module"),
        pytest.param("from math import floor as down\ndef f(): return down(2.5)", 2, id="renamed import"),
        pytest.param("import os.path\ndef f(): return os.path.basename('a/b')", "b", id="submodule"),
        pytest.param("def g(): return 1\ndef f(): return g()", 1, id="helper before"),
        pytest.param("def f(): return g()\ndef g(): return 2", 2, id="helper after"),
        # What the cell does not define by itself is looked up in the notebook.
        pytest.param("def f(): return LIMIT", "the notebook's", id="no definition"),
        pytest.param("LIMIT = compute()\ndef f(): return LIMIT", "the notebook's", id="computed by a call"),
        pytest.param("LIMIT = []\nLIMIT.append(3)\ndef f(): return LIMIT", "the notebook's", id="changed by a method"),
        pytest.param("LIMIT = 1\nLIMIT += 1\ndef f(): return LIMIT", "the notebook's", id="assigned twice"),
        pytest.param("import no_such_module as LIMIT\ndef f(): return LIMIT", "the notebook's", id="missing module"),
    ],
)
def test_helper_reads_the_definitions_of_its_own_cell_first(cell: str, expected: object) -> None:
    notebook = {"LIMIT": "the notebook's", "HIGH": 0, "CASES": [], "math": None, "down": None, "g": lambda: "forged"}
    assert _define_helpers(cell, notebook=notebook)["f"]() == expected


def test_module_is_imported_when_a_helper_first_reads_it() -> None:
    sys.modules.pop("this", None)
    helpers = _define_helpers("import this\ndef f(): return 1\ndef g(): return this")
    assert helpers["f"]() == 1
    assert "this" not in sys.modules


def test_forgotten_name_is_looked_up_in_the_notebook() -> None:
    notebook = {"LIMIT": 7}
    helpers = _define_helpers(
        "LIMIT = 3\ndef f(): return LIMIT\ndef g(): return 1", "def g(): return 2", notebook=notebook
    )
    assert (helpers["f"](), helpers["g"]()) == (3, 2)
    helpers.forget("LIMIT")
    helpers.forget("g")
    assert helpers["f"]() == 7
    assert "g" not in helpers


def test_recorder_of_the_running_test_cell_records_assertions_of_helpers() -> None:
    helpers = _define_helpers("def check(value):\n    assert value == 3")
    for value in (3, 4):
        recorder = AssertionRecorder(
            HardenedComparator(ClassProvenance(), lambda code, detail: None), sites=helpers.recorder_delegate.sites
        )
        helpers.begin_test_cell(recorder, dict[str, Any]().__getitem__)
        if value == 3:
            helpers["check"](value)
        else:
            with pytest.raises(AssertionError):
                helpers["check"](value)
        assert recorder.assertion_count == 1
        recorded = (recorder.expression, recorder.expected, recorder.got)
        assert recorded == (("", None, None) if value == 3 else ("value", "3", "4"))


def test_values_of_a_hidden_helper_are_not_recorded() -> None:
    helpers = _define_helpers("### BEGIN HIDDEN TESTS\ndef check(value):\n    assert value == 3\n### END HIDDEN TESTS")
    with pytest.raises(AssertionError):
        helpers["check"](4)
    assert helpers.recorder_delegate.recorder and helpers.recorder_delegate.recorder.got is None


CHANGES = {
    "nothing": ("x = 1", False),
    "attribute": ("f.note = 1", False),
    "redefined": ("def f(x, y=1, *, z=2): return True", True),
    "deleted": ("del f", True),
    "code": ("f.__code__ = (lambda x, y, *, z: True).__code__", True),
    "defaults": ("f.__defaults__ = (9,)", True),
    "no defaults": ("f.__defaults__ = None", True),
    "keyword defaults": ("f.__kwdefaults__['z'] = 9", True),
}


@pytest.mark.parametrize("name", CHANGES)
def test_change_of_the_notebooks_function_is_detected(name: str) -> None:
    source, is_changed = CHANGES[name]
    cell, notebook = "def f(x, y=1, *, z=2): return x", dict[str, Any]()
    exec(cell, notebook)
    helpers = _define_helpers(cell, notebook=notebook)
    exec(source, notebook)
    assert helpers.is_changed("f", notebook) is is_changed


def test_usage_includes_what_helpers_of_the_test_cell_use() -> None:
    notebook: dict[str, Any] = {}
    cell = "def near(x): return math.isclose(x, 1)"
    exec(f"import math, json as js\nmax = 3\nmine = 4\n{cell}", notebook)
    usage = record_cell_usage(
        "import json\nassert near(mine) and js and max", notebook, _define_helpers(cell, notebook=notebook)
    )
    assert usage["library_names"] == {"js": ["json", ""], "math": ["math", ""]}
    assert (usage["shadowed_builtins"], usage["test_helpers"]) == (["max"], ["near"])
