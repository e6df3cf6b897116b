"""What comes from the student's process is never run by the judge, whatever a test does with it: each of these tests is judged inside."""

from __future__ import annotations

import pytest

from tests.support.grading.separate_process import STUDENT, TESTS, judge_of, judged

STUDENTS = r"""
import os, pickle, subprocess
text = "__import__('os').getpid() or 1"
def bytes_of():
    return b"cos\ngetpid\n(tR."
def path():
    return "/tmp/pmh-gate.py"
def f():
    '''
    >>> __import__('os').getpid() > 0
    True
    '''
    return 3
"""
# A test, and what it would have run here.
REFUSED = {
    "eval": "assert eval(text)",
    "exec": "exec(text)",
    "caught": "try: exec(text)\nexcept Exception: pass",
    "a bare except": "try: exec(text)\nexcept: pass",
    "put together": "assert eval('1 +' + text)",
    "formatted": "assert eval(f'{text}')",
    "by another name": "import builtins\nassert builtins.eval(text)",
    "in a map": "assert list(map(eval, [text]))",
    "compiled": "assert eval(compile(text, '<mine>', 'eval'))",
    "a function of it": "import types\nassert types.FunctionType(compile(text, 'x', 'eval'), {})()",
    "as if it were the test's": "import ast\nassert eval(compile(ast.parse(text, mode='eval'), 'x', 'eval'))",
    "a pickle": "import pickle\nassert pickle.loads(bytes_of())",
    "a pickle in Python": "import io, pickle\nassert pickle._Unpickler(io.BytesIO(bytes_of())).load()",
    "marshalled": "import marshal\nassert marshal.loads(marshal.dumps(text))",
    "doctest": "import doctest\nassert doctest.run_docstring_examples(f, {}) is None",
    "a program": "import subprocess\nsubprocess.run(['true', text])",
    "the system": "import os\nos.system('true ' + text)",
    "in place of this process": "import os\nos.execv('/bin/true', [text])",
    "a fork": "import os\nif not os.fork(): os._exit(0)",
    "timed": "import timeit\nassert timeit.timeit(text, number=1)",
    "set up": "import timeit\nassert timeit.timeit(f, text, number=1)",
    "a magic": "assert get_ipython().run_line_magic('timeit', '-n1 -r1 -o ' + text)",
    "a cell": "assert get_ipython().run_cell(text).success",
    "a query": "import pandas as pd\nassert len(pd.DataFrame({'a': [1]}).query('a > ' + text))",
    "evaluated by pandas": "import pandas as pd\nassert pd.eval(text)",
    "an annotation": "import typing\ndef g(x): ...\ng.__annotations__['x'] = text\nassert typing.get_type_hints(g)",
    "machine code": "import ctypes\nassert ctypes.CDLL(None).getpid()",
    "a file": "import pathlib, runpy\npathlib.Path(path()).write_text(text)\nrunpy.run_path(path())",
    "a module": "import pathlib, sys\npathlib.Path('/tmp/pmh_gate.py').write_text(text)\nsys.path.insert(0, '/tmp')\nimport pmh_gate",
}
# What the test says itself, or a library needs.
RUN = {
    "eval": "assert eval('f() + 1') == 4",
    "exec": "exec('z = f()')\nassert z == 3",
    "a loop": "for said in ('f() == 3', 'f() < 4'):\n    assert eval(said)",
    "with names of its own": "assert eval('x + f()', {'x': 2, 'f': f}) == 5",
    "literal": "import ast\nassert ast.literal_eval('[1, 2]') == [1, 2] and ast.parse(text)",
    "a pickle of data": "import pickle\nassert pickle.loads(pickle.dumps([1, {'a': (2.0, None)}])) == [1, {'a': (2.0, None)}]",
    "classes that are made": "import dataclasses, collections\nQ = collections.namedtuple('Q', 'a b')\n"
    "P = dataclasses.make_dataclass('P', ['x'])\nassert Q(1, 2) and P(1)",
    "mock": "from unittest import mock\nassert mock.create_autospec(len)('a') is not None",
    "timed": "import timeit\nassert timeit.timeit('f()', globals=globals(), number=1)\nassert timeit.timeit(f, number=1)",
    "a magic": "assert get_ipython().run_line_magic('timeit', '-n1 -r1 -o f()')",
    "a query": "import pandas as pd\nassert len(pd.DataFrame({'a': [1, 2]}).query('a > 1')) == 1",
    "a library that nobody imported": "import colorsys, tomllib, xml.dom.minidom\nassert colorsys",
}


@pytest.mark.parametrize("test", REFUSED.values(), ids=REFUSED)
def test_it_is_refused_and_told(test: str) -> None:
    with judge_of() as judge:
        judge.run_student_cell(0, STUDENTS)
        tests, flags = judge.run_test_cell(1, "t1", test)
    assert [each["outcome"] for each in tests if each["outcome"] != "passed"][:1] == ["failed"], tests
    assert [flag["code"] for flag in flags][:1] == ["code-for-data"]


@pytest.mark.parametrize("test", RUN.values(), ids=RUN)
def test_what_the_release_says_is_run(test: str) -> None:
    assert {each["outcome"] for each in judged([(STUDENT, STUDENTS), (TESTS, test)])} == {"passed"}


def test_doctests_of_the_whole_notebook_are_not_taken_for_none_at_all() -> None:
    (test,) = judged([(STUDENT, STUDENTS), (TESTS, "import doctest\nassert doctest.testmod().failed == 0")])
    assert (test["outcome"], test["error_type"]) == ("failed", "TypeError")


def test_the_tests_own_classes_are_found_in_main() -> None:
    program = "program = unittest.main(argv=[''], exit=False)\nassert program.result.testsRun == 1"
    case = "import unittest\nclass T(unittest.TestCase):\n    def test_it(self): self.assertEqual(f(), {})"
    for expected, outcome in ((3, "passed"), (4, "failed")):
        cell = f"{case.format(expected)}\n{program}\nassert program.result.wasSuccessful()"
        tests = judged([(STUDENT, STUDENTS), (TESTS, cell)])
        assert [test["outcome"] for test in tests] == ["passed", outcome]


def test_an_eval_of_the_notebooks_own_gets_what_it_is_given() -> None:
    cells = [(STUDENT, "def eval(text): return text[::-1]"), (TESTS, "assert eval('abc') == 'cba'")]
    assert [each["outcome"] for each in judged(cells)] == ["passed"]


def test_between_test_cells_and_in_other_processes_nothing_is_refused() -> None:
    with judge_of() as judge:
        judge.run_student_cell(0, STUDENTS)
        judge.run_test_cell(1, "t1", "assert f() == 3")
        assert judge.run_student_cell(2, "assert eval(text) and pickle.loads(bytes_of())") is None
    assert eval("1 + 1") == 2
