"""The result of each statement of a test cell: its outcome, and the text that the student reads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pmh_jupyter.grading.runtime.in_process.test_cell import CellContext, execute_test_cell
from pmh_jupyter.grading.runtime.test_cells.statements import find_feedback_comments
from pmh_jupyter.grading.runtime.test_cells.test_helpers import TestHelpers

STUDENT_CELL = """
import math
def f(x): return x + 1
def is_even(x): return x % 2 == 1
def many(): return [1, 2]
def nothing(): return []
def quits(): raise SystemExit
def fails(): raise ValueError('90126')
"""


def run(test: str, **context_fields: Any) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    namespace: dict[str, Any] = {"np": np}
    exec(compile(STUDENT_CELL, "<cell 1>", "exec"), namespace)
    fields = execute_test_cell(SimpleNamespace(user_ns=namespace), test, {}, CellContext(**context_fields)).fields
    return fields["tests"], fields["flags"]


# The test, and its result: expression, got, expected.
EXPLAINED = [
    ("assert f(1) == 3", "f(1)", "2", "3"),
    ("assert 3 == f(1)", "f(1)", "2", "3"),
    ("assert f(1) < 2", "f(1)", "2", "< 2"),
    ("assert 2 < f(1)", "f(1)", "2", "> 2"),
    ("assert f(1) != 2", "f(1)", "2", "!= 2"),
    ("assert f(1) is None", "f(1)", "2", "None"),
    ("assert f(1) in (3, 4)", "f(1)", "2", "in (3, 4)"),
    ("assert 3 in many()", "many()", "[1, 2]", "to contain 3"),
    ("assert 1 not in many()", "many()", "[1, 2]", "not to contain 1"),
    ("assert is_even(2)", "is_even(2)", "False", "True"),
    ("assert nothing()", "nothing()", "[]", "a true value"),
    ("assert not is_even(3)", "is_even(3)", "True", "False"),
    ("assert not many()", "many()", "[1, 2]", "a false value"),
    ("assert f(1) == 2 and f(2) == 4", "f(2)", "3", "4"),
    ("assert f(1) == 2 and (f(2) == 3 and not is_even(3))", "is_even(3)", "True", "False"),
    ("assert isinstance(f(1), str)", "f(1)", "2", "an instance of str"),
    ("assert isinstance(f(1), (str, list))", "f(1)", "2", "an instance of str or list"),
    ("assert math.isclose(f(1), 2.5)", "f(1)", "2", "about 2.5"),
    ("assert np.allclose(f(1), [2, 3])", "f(1)", "2", "about [2, 3]"),
    ("assert np.array_equal(many(), [2, 3])", "many()", "[1, 2]", "[2, 3]"),
    ("np.testing.assert_allclose(f(1), 3)", "f(1)", "2", "3"),
    ("np.testing.assert_array_equal(many(), [2, 3])", "many()", "[1, 2]", "[2, 3]"),
    ("import unittest\nunittest.TestCase().assertEqual(f(1), 3)", "f(1)", "2", "3"),
    ("import unittest\nunittest.TestCase().assertEqual(3, f(1))", "f(1)", "2", "3"),
    ("import unittest\nunittest.TestCase().assertIn(f(1), [3])", "f(1)", "2", "in [3]"),
    ("import unittest\nunittest.TestCase().assertGreater(f(1), 3)", "f(1)", "2", "> 3"),
    ("import unittest\nunittest.TestCase().assertGreater(1, f(1))", "f(1)", "2", "< 1"),
    ("import unittest\nunittest.TestCase().assertNotEqual(f(1), 2)", "f(1)", "2", "!= 2"),
    ("np.testing.assert_array_less(f(1), 2)", "f(1)", "2", "< 2"),
    ("import unittest\nunittest.TestCase().assertTrue(is_even(2))", "is_even(2)", "False", "True"),
    ("def assert_equal(a, b):\n    assert a == b\nassert_equal(f(1), 3)", "a", "2", "3"),
    ("def check(x, wanted):\n    assert f(x) == wanted\ncheck(1, 3)", "f(x)", "2", "3"),
    ("for x, y in [(1, 2), (2, 4)]:\n    assert f(x) == y", "f(x)", "3", "4"),
    ("import pytest\nassert f(1) == pytest.approx(2.5)", "f(1)", "2", "2.5 ± 2.5e-06"),
    ("import pytest\nwith pytest.raises(ValueError):\n    f(1)", "f(1)", "no error", "ValueError"),
    (
        "import unittest\nt = unittest.TestCase()\nwith t.assertRaises(ValueError):\n    f(1)",
        "f(1)",
        "no error",
        "ValueError",
    ),
    ("import unittest\nunittest.TestCase().assertRaises(ValueError, f, 1)", "ValueError", "no error", "ValueError"),
]


@pytest.mark.parametrize(("test", "expression", "got", "expected"), EXPLAINED)
def test_failed_assertion_shows_both_values(test: str, expression: str, got: str, expected: str) -> None:
    (result,), _ = run(test)
    assert (result["outcome"], result["reason"]) == ("failed", "values-differ")
    assert (result["expression"], result["got"], result["expected"]) == (expression, got, expected)


@pytest.mark.parametrize("test", [test for test, *_ in EXPLAINED if "\n" not in test])
def test_failed_hidden_test_shows_nothing(test: str) -> None:
    (result,), _ = run(f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS")
    assert result["outcome"] == "failed"
    assert result["is_hidden"]
    assert (result["name"], result["expression"], result["text"], result["got"], result["expected"]) == (
        "",
        "",
        "",
        None,
        None,
    )


@pytest.mark.parametrize(
    "test",
    [
        "assert all(x > 1 for x in many())",
        "assert f(1) == 3 or is_even(2)",
        "assert 2 < f(1) < 4",
        "assert callable(1)",
    ],
)
def test_condition_without_two_values_is_reported_as_not_met(test: str) -> None:
    (result,), _ = run(test)
    assert (result["outcome"], result["reason"], result["got"], result["expected"]) == ("failed", "not-met", None, None)
    assert result["name"] == test.removeprefix("assert ")


TESTS_WITH_AUTHOR_MESSAGE = [
    "assert f(1) == 3, 'Mind the {}'.format('gap')",
    "# feedback: Mind the gap\nassert f(1) == 3",
    "x = 1\n#feedback: Mind the\n# Feedback: gap\nassert f(x) == 3",
    "for x in [1]:\n    # feedback: Mind the gap\n    assert f(x) == 3",
    "# feedback: Not this\nassert f(1) == 2\n# feedback: Mind the gap\nassert f(1) == 3",
    "# feedback: Mind the gap\nnp.testing.assert_allclose(f(1), 3)",
    "np.testing.assert_allclose(f(1), 3, err_msg='Mind the gap')",
    "import unittest\nunittest.TestCase().assertEqual(f(1), 3, 'Mind the gap')",
    "import unittest\nunittest.TestCase().assertEqual(f(1), 3, msg='Mind the gap')",
    "import unittest\n# feedback: Mind the gap\nwith unittest.TestCase().assertRaises(ValueError):\n    f(1)",
    "try:\n    f(1)\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError('Mind the gap')",
    "if f(1) != 3:\n    raise AssertionError('Mind the gap')",
    "# feedback: Not this\nassert f(1) == 3, 'Mind the gap'",
]


@pytest.mark.parametrize("is_hidden", [False, True])
@pytest.mark.parametrize("test", TESTS_WITH_AUTHOR_MESSAGE)
def test_authors_message_reaches_the_student(test: str, is_hidden: bool) -> None:
    tests, _ = run(f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS" if is_hidden else test)
    assert (tests[-1]["outcome"], tests[-1]["reason"], tests[-1]["text"]) == (
        "failed",
        "author-message",
        "Mind the gap",
    )


def test_librarys_message_of_a_hidden_test_is_not_shown() -> None:
    test = (
        "import unittest\n### BEGIN HIDDEN TESTS\nunittest.TestCase().assertGreater(f(1), 90126)\n### END HIDDEN TESTS"
    )
    (result,), _ = run(test)
    assert result["reason"] == "not-met"
    assert "90126" not in str(result)


def test_feedback_comment_belongs_to_the_line_below_it() -> None:
    assert find_feedback_comments(
        "# feedback: One\n# feedback: two\nassert a\n  ## FEEDBACK: Three \nassert b\n# feedback:\n"
    ) == {
        3: "One two",
        5: "Three",
    }


@pytest.mark.parametrize(
    "error", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "StopIteration", "MemoryError", "BaseException"]
)
def test_exception_that_ends_a_test_early_fails_it(error: str) -> None:
    tests, _ = run(f"def quit(): raise {error}\nassert quit() is None\nassert f(1) == 2")
    assert tests[0]["outcome"] != "passed"


def test_rest_is_checked_after_a_failed_assertion_but_not_after_a_failed_statement() -> None:
    tests, _ = run("assert f(1) == 3\nx = fails()\nassert f(1) == 2")
    assert [test["outcome"] for test in tests] == ["failed", "failed", "not-checked"]


@pytest.mark.parametrize(
    ("test", "is_flagged"),
    [
        ("for x in nothing():\n    assert x == 42", True),
        ("for x in many():\n    assert x < 42", False),
        ("if nothing():\n    assert f(1) == 42", True),
        ("if f(1) != 2:\n    raise AssertionError", False),
        ("try:\n    fails()\nexcept ValueError:\n    pass\nelse:\n    assert False", False),
        ("import unittest\nwith unittest.TestCase().assertRaises(ValueError):\n    fails()", False),
        ("import unittest\nunittest.TestCase().assertRaises(ValueError, fails)", False),
        ("def check(xs):\n    for x in xs:\n        assert x\ncheck(nothing())", True),
        ("x = f(1)", False),
    ],
)
def test_statement_whose_assertion_never_ran_is_flagged(test: str, is_flagged: bool) -> None:
    tests, flags = run(test)
    assert tests[0]["outcome"] == "passed"
    assert [flag["code"] for flag in flags] == ["no-assertion-ran"] * is_flagged


def test_operators_on_objects_of_the_notebooks_classes_are_recorded() -> None:
    namespace: dict[str, Any] = {}
    exec(
        "class P:\n    def __eq__(self, other): return isinstance(other, P)\n    def __bool__(self): return True",
        namespace,
    )
    test_cell = "assert P() == P()\nassert P()\nassert 1 == 1"
    assert execute_test_cell(SimpleNamespace(user_ns=namespace), test_cell, {}).operators == {"eq", "bool"}


def test_context_is_read_from_a_bundle() -> None:
    isolation: Any = {
        "contract": {"a-tests": ["1:0 compare 1:0 1"]},
        "operators": {"a-tests": ["eq"]},
        "shadowed_builtins": ["sum"],
        "exported_names": ["x"],
        "library_names": {"np": ["numpy", ""]},
        "test_helpers": ["check"],
    }
    context = CellContext.from_isolation(None, isolation, "a-tests", TestHelpers(), None)
    assert (
        context.contract,
        context.allowed_operators,
        context.shadowed_builtins,
        context.exported_names,
        context.library_names,
        context.helper_names,
    ) == (
        ["1:0 compare 1:0 1"],
        ["eq"],
        ["sum"],
        ["x"],
        {"np": ["numpy", ""]},
        ["check"],
    )
    # Nothing is known of a cell that the release did not run.
    for fields, grade_id in ((isolation, "b-tests"), (None, "a-tests")):
        context = CellContext.from_isolation(None, fields, grade_id, TestHelpers(), None)
        assert context.allowed_operators is None


def test_test_cell_that_is_not_python_is_a_grader_error() -> None:
    (result,), _ = run("assert f(1) ==")
    assert (result["outcome"], result["reason"]) == ("grader-error", "invalid-test")
