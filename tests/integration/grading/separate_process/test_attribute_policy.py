"""What a test hands to the student's code can be used, and leads nowhere else."""

from __future__ import annotations

import pytest

from tests.support.grading.separate_process import STUDENT, TESTS, judged

HANDED = """
SECRET = 424242
class Tool:
    '''A tool of the test's.'''
    shown = 5
    _kept = SECRET
    def use(self, x):
        return x + 1 if SECRET else 0
def function(x):
    '''A function of the test's.'''
    return x + SECRET * 0
def generator():
    held = SECRET
    yield 1
    yield held * 0
def failing():
    held = SECRET
    raise KeyError("handed")
handed = dict(tool=Tool(), kind=Tool, function=function, method=Tool().use, generator=generator(), failing=failing)
"""
WALKS = {
    "a function's globals": "function.__globals__['SECRET']",
    "a function's code": "function.__code__.co_consts",
    "a function's closure": "function.__closure__",
    "a function's builtins": "function.__builtins__",
    "a function's attributes": "vars(function)",
    "a method's function": "method.__func__",
    "a method's self": "method.__self__._kept",
    "an object's class": "type(tool)._kept",
    "a class's dict": "vars(kind)",
    "a class's attribute": "kind.shown",
    "a class's subclasses": "kind.__subclasses__()",
    "a class's mro": "kind.mro()",
    "a private attribute": "tool._kept",
    "an object's dict": "tool.__dict__",
    "its initializer's globals": "tool.__init__.__globals__",
    "its reduction": "tool.__reduce_ex__(2)",
    "a bound method's globals": "tool.use.__globals__",
    "a generator's frame": "generator.gi_frame.f_locals",
    "a generator's code": "generator.gi_code",
    "setting an attribute": "setattr(tool, 'shown', 6)",
    "deleting an attribute": "delattr(tool, 'shown')",
    "listing": "dir(tool)",
    "copying": "__import__('copy').deepcopy(tool)",
    "an exception's traceback": "error_of(failing).__traceback__.tb_frame.f_back.f_back.f_globals['SECRET']",
}
STUDENTS = """
SEEN = []
def error_of(f):
    try: f()
    except BaseException as error: return error
def walk(tool, kind, function, method, generator, failing):
    try: SEEN.append(repr({}))
    except BaseException as error: SEEN.append(type(error).__name__)
    return str(424_242) if any(str(424_241 + 1) in text for text in SEEN) else 'nothing'
"""


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS.keys())
def test_what_is_handed_over_leads_nowhere(walk: str) -> None:
    cells = [(STUDENT, STUDENTS.format(walk)), (TESTS, f"{HANDED}\nassert walk(**handed) == 'nothing'")]
    (test,) = judged(cells)
    assert test["outcome"] == "passed", test


def test_what_is_handed_over_can_be_used() -> None:
    student = """
def use(tool, kind, function, method, generator, failing):
    try: failing()
    except KeyError as error: word = error.args[0]
    names = function.__name__, function.__doc__, hasattr(tool, "missing"), callable(function), isinstance(kind(), kind)
    return [tool.shown, tool.use(1), kind().use(2), function(3), method(4), list(generator), word, *names]
"""
    wanted = "[5, 2, 3, 3, 5, [1, 0], 'handed', 'function', 'A function of the test\\'s.', False, True, True]"
    (test,) = judged([(STUDENT, student), (TESTS, f"{HANDED}\nassert use(**handed) == {wanted}")])
    assert test["outcome"] == "passed", test


def test_a_failed_check_in_a_callback_says_nothing_over_there() -> None:
    student = "said = []\ndef f(g):\n    try: g()\n    except AssertionError as e: said.append(str(e))"
    check = "def g():\n    assert 1 == 424242, 'it is 424242'\nf(g)\nassert said == ['']"
    assert judged([(STUDENT, student), (TESTS, check)])[-1]["outcome"] == "passed"


def test_the_names_of_the_tests_are_not_handed_over() -> None:
    student = "def f(names): return names['SECRET']"
    tests = judged([(STUDENT, student), (TESTS, "SECRET = 424242\nassert f(globals()) == 1")])
    assert tests[-1]["outcome"] == "failed" and tests[-1]["error_type"] == "TypeError"
