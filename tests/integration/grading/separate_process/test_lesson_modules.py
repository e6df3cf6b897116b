"""Modules beside the notebook are imported in the judge, from the release."""

from __future__ import annotations

import sys
from typing import Any

from tests.support.grading.separate_process import STUDENT_CELL, TEST_CELL, open_judge, run_notebook

MODULES = {
    "checks.py": b"""
from __future__ import annotations
from pathlib import Path

import shapes
from package.inner import LIMIT

calls = []

def check_double(double):
    '''Check a function.'''
    calls.append(double(0))
    assert double(2) == LIMIT, "Think of two."
    assert double(3) == 6

def read_data():
    return Path(__file__).with_name("data.txt").read_text()

def is_square(value):
    return type(value) is shapes.Square and isinstance(value, shapes.Square) and value.side == 2

def describe(template, value):
    return template.format(value)
""",
    "shapes.py": b"class Square:\n    def __init__(self, side): self.side = side\n",
    "package/__init__.py": b"from .inner import LIMIT as SAME\n",
    "package/inner.py": b"LIMIT = 4\n",
    "folder/plain.py": b"NAME = __name__\n",
    "broken.py": b"def f(:\n",
    "data.txt": b"1 2 3",
}
ANSWER = "import checks, shapes\ndef double(x): return 2 * x\ndef square(): return shapes.Square(2)"


def run_with_modules(test: str, answer: str = ANSWER, reference: str = ANSWER) -> list[dict[str, Any]]:
    """Return the test results of an answer, with the contract of the reference."""
    with open_judge(is_recording=True, lesson_files=MODULES) as judge:
        results = run_notebook(judge, [(STUDENT_CELL, reference), (TEST_CELL, test)])
        isolation = judge.build_usage()
    if answer == reference:
        return results
    with open_judge(isolation, lesson_files=MODULES) as judge:
        return run_notebook(judge, [(STUDENT_CELL, answer), (TEST_CELL, test)])


def outcomes(results: list[dict[str, Any]]) -> list[str]:
    return [result["outcome"] for result in results]


def test_checks_of_a_module_pass_and_leave_nothing_in_the_judge() -> None:
    test = """
import checks
checks.check_double(double)
assert checks.read_data() == '1 2 3'
assert checks.is_square(square())
assert checks.describe('{:>3}', 4) == '  4'
from package import SAME, inner
assert SAME == inner.LIMIT == 4 and checks.calls == [0]
"""
    assert set(outcomes(run_with_modules(test))) == {"passed"}
    assert not {"checks", "shapes", "package", "package.inner"} & sys.modules.keys()


def test_failed_assertion_of_a_module_is_explained() -> None:
    wrong = ANSWER.replace("2 * x", "x + 3")
    (result,) = run_with_modules("from checks import check_double\ncheck_double(double)", wrong)[-1:]
    assert (result["outcome"], result["text"]) == ("failed", "Think of two.")
    assert (result["expression"], result["got"], result["expected"]) == ("double(2)", "5", "4")


def test_module_keeps_its_state_between_test_cells() -> None:
    with open_judge(lesson_files=MODULES) as judge:
        cells = [
            (TEST_CELL, "import checks\nchecks.calls.append(7)"),
            (TEST_CELL, "import checks\nassert checks.calls == [7]"),
        ]
        assert outcomes(run_notebook(judge, cells)) == ["passed", "passed"]


def test_notebook_cannot_change_the_module_of_the_tests() -> None:
    attack = """
import sys, types
import checks, shapes
def double(x): return 0
checks.check_double = lambda double: None
sys.modules['checks'] = checks = types.SimpleNamespace(check_double=lambda double: None)
open('checks.py', 'w').write('def check_double(double): pass')
"""
    for test in ("import checks\nchecks.check_double(double)", "checks.check_double(double)"):
        assert outcomes(run_with_modules(test, attack))[-1] == "failed"


def test_object_of_the_answer_comes_under_the_contract_in_a_module() -> None:
    claiming = """
import checks
class Anything:
    def __eq__(self, other): return True
def double(x): return Anything()
"""
    (result,) = run_with_modules("import checks\nchecks.check_double(double)", claiming)[-1:]
    assert (result["outcome"], result["reason"], result["text"]) == ("failed", "object-for-data", "Anything")


def test_folder_without_init_is_a_package_unless_one_is_installed() -> None:
    assert outcomes(run_with_modules("import folder.plain\nassert folder.plain.NAME == 'folder.plain'")) == ["passed"]


def test_module_with_a_syntax_error_fails_the_test() -> None:
    (result,) = run_with_modules("import broken")
    assert (result["outcome"], result["error_type"]) == ("failed", "SyntaxError")
