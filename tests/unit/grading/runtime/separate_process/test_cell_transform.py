"""Statements of a test cell after the transformation: what the judge executes instead of what the author wrote."""

from __future__ import annotations

import ast

import pytest

from pmh_jupyter.grading.runtime.separate_process.cells.cell_transform import transform_statement
from pmh_jupyter.python_source.names import collect_class_body_names


def transform(source: str) -> str:
    """Return the transformed statement as source text."""
    (statement,) = ast.parse(source).body
    return ast.unparse(ast.fix_missing_locations(transform_statement(statement)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("assert type(x) is int", "assert _pmh_type(x) is int", id="class of an object"),
        pytest.param("type('A', (), {})", "type('A', (), {})", id="new class"),
        pytest.param("f(type)", "f(type)", id="type is not called"),
        pytest.param("x.type(y)", "x.type(y)", id="method named type"),
        pytest.param("eval('1')", "eval(_pmh_code('1', 'eval'))", id="eval"),
        pytest.param("exec(code, space)", "exec(_pmh_code(code, 'exec'), space)", id="exec with a namespace"),
        pytest.param("eval()", "eval()", id="eval of nothing"),
        pytest.param("text.format(x)", "_pmh_format(text, 'format')(x)", id="template in a variable"),
        pytest.param("text.format_map(x)", "_pmh_format(text, 'format_map')(x)", id="template and a mapping"),
        pytest.param("'{}'.format(x)", "'{}'.format(x)", id="template of the author"),
        pytest.param(
            "eval(type(a.format(b)))",
            "eval(_pmh_code(_pmh_type(_pmh_format(a, 'format')(b)), 'eval'))",
            id="one in another",
        ),
    ],
)
def test_call_is_replaced_where_the_judge_has_to_answer_it(source: str, expected: str) -> None:
    assert transform(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("import matplotlib.pyplot as plt", "plt = _pmh_module('matplotlib.pyplot')", id="module"),
        pytest.param(
            "from matplotlib import pyplot", "pyplot = _pmh_module('matplotlib.pyplot')", id="from its package"
        ),
        pytest.param("from matplotlib import pyplot as p", "p = _pmh_module('matplotlib.pyplot')", id="renamed"),
    ],
)
def test_import_of_a_module_with_state_of_the_student_returns_a_proxy(source: str, expected: str) -> None:
    assert transform(source).splitlines()[1:] == [f"    {expected}"]


def test_other_names_of_the_same_import_are_imported() -> None:
    assert transform("import math, pylab as p, json as j").splitlines() == [
        "if True:",
        "    import math, json as j",
        "    p = _pmh_module('pylab')",
    ]


@pytest.mark.parametrize("source", ["import math", "import matplotlib", "from matplotlib import cm", "x = 1"])
def test_other_statements_stay_as_they_are(source: str) -> None:
    assert transform(source) == source


def test_new_nodes_have_the_place_of_those_that_they_replace() -> None:
    """A contract permits a use at a place of the test cell."""
    (statement,) = ast.parse("\n\nx = type(y)").body
    transformed = transform_statement(statement)
    (name,) = (node for node in ast.walk(transformed) if isinstance(node, ast.Name) and node.id == "_pmh_type")
    assert (name.lineno, name.col_offset, name.end_col_offset) == (3, 4, 8)
    (statement,) = ast.parse("\n\nimport pylab as p").body
    assert transform_statement(statement).lineno == 3


@pytest.mark.parametrize(
    ("source", "names"),
    [
        pytest.param("class A:\n    x = y", {"y"}, id="body"),
        pytest.param("class A(B):\n    x = 1", set(), id="base"),
        pytest.param("class A:\n    def f(self): return g()", {"g"}, id="method"),
        pytest.param("def f():\n    class A:\n        x = y\n    return z", {"y"}, id="class in a function"),
    ],
)
def test_names_that_class_bodies_load_are_collected(source: str, names: set[str]) -> None:
    (statement,) = ast.parse(source).body
    assert collect_class_body_names(statement) == names
