"""The judge never executes data from the student process. A notebook whose tests need that is graded in-process."""

from __future__ import annotations

import pytest

from tests.support.grading.separate_process import STUDENT_CELL, TEST_CELL, open_judge, record_usage, run_tests

STUDENT_SOURCE = r"""
import os, pickle, subprocess
text = "__import__('os').getpid() or 1"
def bytes_of():
    return b"cos\ngetpid\n(tR."
def path():
    return "/tmp/pmh-policy.py"
def f():
    '''
    >>> __import__('os').getpid() > 0
    True
    '''
    return 3
"""
# Tests that would execute data of the student in the judge.
REFUSED = {
    "eval": "assert eval(text)",
    "exec": "exec(text)",
    "caught": "try: exec(text)\nexcept Exception: pass",
    "a bare except": "try: exec(text)\nexcept: pass",
    "concatenated": "assert eval('1 +' + text)",
    "formatted": "assert eval(f'{text}')",
    "by another name": "import builtins\nassert builtins.eval(text)",
    "in a map": "assert list(map(eval, [text]))",
    "compiled": "assert eval(compile(text, '<mine>', 'eval'))",
    "a function of it": "import types\nassert types.FunctionType(compile(text, 'x', 'eval'), {})()",
    "as a syntax tree": "import ast\nassert eval(compile(ast.parse(text, mode='eval'), 'x', 'eval'))",
    "a pickle": "import pickle\nassert pickle.loads(bytes_of())",
    "a pickle in Python": "import io, pickle\nassert pickle._Unpickler(io.BytesIO(bytes_of())).load()",
    "marshalled": "import marshal\nassert marshal.loads(marshal.dumps(text))",
    "doctest": "import doctest\nassert doctest.run_docstring_examples(f, {}) is None",
    "a program": "import subprocess\nsubprocess.run(['true', text])",
    "the system": "import os\nos.system('true ' + text)",
    "in place of this process": "import os\nos.execv('/bin/true', [text])",
    "a fork": "import os\nif not os.fork(): os._exit(0)",
    "timeit": "import timeit\nassert timeit.timeit(text, number=1)",
    "the setup of timeit": "import timeit\nassert timeit.timeit(f, text, number=1)",
    "a magic": "assert get_ipython().run_line_magic('timeit', '-n1 -r1 -o ' + text)",
    "a cell": "assert get_ipython().run_cell(text).success",
    "a query": "import pandas as pd\nassert len(pd.DataFrame({'a': [1]}).query('a > ' + text))",
    "evaluated by pandas": "import pandas as pd\nassert pd.eval(text)",
    "an annotation": "import typing\ndef g(x): ...\ng.__annotations__['x'] = text\nassert typing.get_type_hints(g)",
    "machine code": "import ctypes\nassert ctypes.CDLL(None).getpid()",
    "a file": "import pathlib, runpy\npathlib.Path(path()).write_text(text)\nrunpy.run_path(path())",
    "a module": "import pathlib, sys\npathlib.Path('/tmp/pmh_policy.py').write_text(text)\nsys.path.insert(0, '/tmp')\nimport pmh_policy",
}
# Tests that execute text of the release, or code of a library.
ALLOWED = {
    "eval": "assert eval('f() + 1') == 4",
    "exec": "exec('z = f()')\nassert z == 3",
    "a loop": "for text in ('f() == 3', 'f() < 4'):\n    assert eval(text)",
    "with its own namespace": "assert eval('x + f()', {'x': 2, 'f': f}) == 5",
    "literal": "import ast\nassert ast.literal_eval('[1, 2]') == [1, 2] and ast.parse(text)",
    "a pickle of data": "import pickle\nassert pickle.loads(pickle.dumps([1, {'a': (2.0, None)}])) == [1, {'a': (2.0, None)}]",
    "generated classes": "import dataclasses, collections\nQ = collections.namedtuple('Q', 'a b')\n"
    "P = dataclasses.make_dataclass('P', ['x'])\nassert Q(1, 2) and P(1)",
    "mock": "from unittest import mock\nassert mock.create_autospec(len)('a') is not None",
    "timeit": "import timeit\nassert timeit.timeit('f()', globals=globals(), number=1)\nassert timeit.timeit(f, number=1)",
    "a magic": "assert get_ipython().run_line_magic('timeit', '-n1 -r1 -o f()')",
    "a query": "import pandas as pd\nassert len(pd.DataFrame({'a': [1, 2]}).query('a > 1')) == 1",
    "a library that is not imported yet": "import colorsys, tomllib, xml.dom.minidom\nassert colorsys",
}


@pytest.mark.parametrize("test", REFUSED.values(), ids=REFUSED)
def test_executing_data_of_the_student_fails_and_is_flagged(test: str) -> None:
    cells = [(STUDENT_CELL, STUDENT_SOURCE), (TEST_CELL, test)]
    with open_judge(record_usage(cells)) as judge:
        judge.run_student_cell(0, STUDENT_SOURCE)
        fields = judge.run_test_cell(1, "t1", test)
    outcomes = [result["outcome"] for result in fields["tests"]]
    assert [outcome for outcome in outcomes if outcome != "passed"][:1] == ["failed"], fields
    assert [flag["code"] for flag in fields["flags"]][:1] == ["code-for-data"]


@pytest.mark.parametrize("test", ALLOWED.values(), ids=ALLOWED)
def test_code_of_the_release_is_executed(test: str) -> None:
    assert {each["outcome"] for each in run_tests([(STUDENT_CELL, STUDENT_SOURCE), (TEST_CELL, test)])} == {"passed"}


def test_doctests_of_the_notebook_raise_an_error_instead_of_finding_none() -> None:
    (test,) = run_tests(
        [(STUDENT_CELL, STUDENT_SOURCE), (TEST_CELL, "import doctest\nassert doctest.testmod().failed == 0")]
    )
    assert (test["outcome"], test["error_type"]) == ("failed", "TypeError")


def test_unittest_main_finds_the_classes_of_the_test() -> None:
    program = "program = unittest.main(argv=[''], exit=False)\nassert program.result.testsRun == 1"
    case = "import unittest\nclass T(unittest.TestCase):\n    def test_it(self): self.assertEqual(f(), {})"
    for expected, outcome in ((3, "passed"), (4, "failed")):
        cell = f"{case.format(expected)}\n{program}\nassert program.result.wasSuccessful()"
        tests = run_tests([(STUDENT_CELL, STUDENT_SOURCE), (TEST_CELL, cell)])
        assert [test["outcome"] for test in tests] == ["passed", outcome]


def test_eval_of_the_notebook_receives_its_argument_unchanged() -> None:
    cells = [(STUDENT_CELL, "def eval(text): return text[::-1]"), (TEST_CELL, "assert eval('abc') == 'cba'")]
    assert [each["outcome"] for each in run_tests(cells)] == ["passed"]


def test_nothing_is_refused_between_test_cells_and_in_the_student_process() -> None:
    with open_judge() as judge:
        judge.run_student_cell(0, STUDENT_SOURCE)
        judge.run_test_cell(1, "t1", "assert f() == 3")
        assert judge.run_student_cell(2, "assert eval(text) and pickle.loads(bytes_of())") is None
    assert eval("1 + 1") == 2
