"""Functions, data, exceptions and classes of the student in a test cell."""

from __future__ import annotations

from tests.support.grading.separate_process import STUDENT_CELL, TEST_CELL, open_judge, run_tests

NOTEBOOK = """
import math

def add(a, b):
    return a + b

def bad():
    raise ValueError("no")

class Point:
    def __init__(self, x):
        self.x = x
    def twice(self):
        return self.x * 2

data = [1, 2]
"""


def test_functions_data_exceptions_and_classes_can_be_tested() -> None:
    assertions = [
        "assert add(1, 2) == 3",
        "assert data == [1, 2]",
        "assert Point(3).twice() == 6 and isinstance(Point(1), Point)",
        "try:\n    bad()\n    assert False\nexcept ValueError as error:\n    assert str(error) == 'no'",
        "assert math.sqrt(4) == 2",
    ]
    tests = run_tests([(STUDENT_CELL, NOTEBOOK), (TEST_CELL, "\n".join(assertions))])
    assert [test["outcome"] for test in tests] == ["passed"] * len(assertions), tests


def test_failed_comparison_reports_both_values() -> None:
    (test,) = run_tests([(STUDENT_CELL, NOTEBOOK), (TEST_CELL, "assert add(2, 2) == 5")])
    assert (test["outcome"], test["expression"], test["expected"], test["got"]) == ("failed", "add(2, 2)", "5", "4")


def test_exception_of_the_students_code_reports_cell_and_line() -> None:
    (test,) = run_tests([(STUDENT_CELL, NOTEBOOK), (TEST_CELL, "assert bad() == 5")])
    assert (test["error_type"], test["detail"], test["cell"], test["line"]) == ("ValueError", "no", 0, 8)


def test_cell_that_raises_reports_its_error() -> None:
    with open_judge() as judge:
        cell_error = judge.run_student_cell(3, "x = 1\n1 / 0")
    assert cell_error == {"error_type": "ZeroDivisionError", "detail": "division by zero", "cell": 3, "line": 2}
