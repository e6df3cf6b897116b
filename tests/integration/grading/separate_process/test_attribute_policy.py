"""An object that a test passes to the student's code can be used, and gives access to nothing else."""

from __future__ import annotations

import pytest

from tests.support.grading.separate_process import STUDENT_CELL, TEST_CELL, run_tests

PASSED_OBJECTS = """
SECRET = 424242
class Tool:
    '''A tool of the test's.'''
    shown = 5
    _secret = SECRET
    def use(self, x):
        return x + 1 if SECRET else 0
def function(x):
    '''A function of the test's.'''
    return x + SECRET * 0
def generator():
    local = SECRET
    yield 1
    yield local * 0
function.limit = SECRET
def failing():
    local = SECRET
    raise KeyError("message")
passed = dict(tool=Tool(), kind=Tool, function=function, method=Tool().use, generator=generator(), failing=failing)
"""
WALKS = {
    "a function's globals": "function.__globals__['SECRET']",
    "a function's code": "function.__code__.co_consts",
    "a function's closure": "function.__closure__",
    "a function's builtins": "function.__builtins__",
    "a function's attributes": "vars(function)",
    "a function's wrapped function": "function.__wrapped__",
    "a function's defaults": "function.__kwdefaults__",
    "the closure of a described function": "method.__func__.__closure__",
    "the globals of a described function": "method.__func__.__globals__",
    "the code of a described function": "(method.__func__.__code__.co_consts, method.__func__.__code__.co_names)",
    "a call of a described function": "method.__func__(tool, 424241)",
    "an initializer": "type(tool).__init__",
    "a private attribute in a dict": "vars(tool)",
    "setting an attribute of a class": "setattr(type(tool), 'extra', 6)",
    "setting an attribute of a function": "setattr(function, '__code__', (lambda x: x).__code__)",
    "setting an attribute of the test": "setattr(function, 'limit', 6) or function.limit",
    "a method's function": "method.__func__",
    "a method's self": "method.__self__._secret",
    "an object's class": "type(tool)._secret",
    "a class's dict": "vars(kind)",
    "a class's attribute": "kind.shown",
    "a class's subclasses": "kind.__subclasses__()",
    "a class's mro": "kind.mro()",
    "a private attribute": "tool._secret",
    "an object's dict": "tool.__dict__",
    "its initializer's globals": "tool.__init__.__globals__",
    "its reduction": "tool.__reduce_ex__(2)",
    "a bound method's globals": "tool.use.__globals__",
    "a generator's frame": "generator.gi_frame.f_locals",
    "a generator's code": "generator.gi_code",
    "setting an attribute": "setattr(tool, 'shown', 6)",
    "deleting an attribute": "delattr(tool, 'shown')",
    "listing": "dir(tool)",
    "copying a function": "__import__('copy').deepcopy(function).__globals__",
    "copying a class": "__import__('copy').copy(kind)._secret",
    "an exception's traceback": "error_of(failing).__traceback__.tb_frame.f_back.f_back.f_globals['SECRET']",
}
STUDENT_SOURCE = """
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
def test_object_of_a_test_gives_no_access_to_the_test(walk: str) -> None:
    cells = [
        (STUDENT_CELL, STUDENT_SOURCE.format(walk)),
        (TEST_CELL, f"{PASSED_OBJECTS}\nassert walk(**passed) == 'nothing'"),
    ]
    (result,) = run_tests(cells)
    assert result["outcome"] == "passed", result


def test_object_of_a_test_can_be_used() -> None:
    student = """
def use(tool, kind, function, method, generator, failing):
    try: failing()
    except KeyError as error: message = error.args[0]
    names = function.__name__, function.__doc__, hasattr(tool, "missing"), callable(function), isinstance(kind(), kind)
    return [tool.shown, tool.use(1), kind().use(2), function(3), method(4), list(generator), message, *names]
"""
    expected = "[5, 2, 3, 3, 5, [1, 0], 'message', 'function', 'A function of the test\\'s.', False, True, True]"
    (result,) = run_tests(
        [(STUDENT_CELL, student), (TEST_CELL, f"{PASSED_OBJECTS}\nassert use(**passed) == {expected}")]
    )
    assert result["outcome"] == "passed", result


def test_object_of_a_test_shows_its_class_and_its_public_attributes() -> None:
    student = """
def use(tool, kind, function, method, generator, failing):
    tool_class = type(tool)
    return [tool_class.use(tool, 1), tool_class.shown, vars(tool), vars(function), isinstance(tool, tool_class), kind.shown]
"""
    test = (
        f"{PASSED_OBJECTS}\nTool.__init__ = lambda self: setattr(self, 'size', 7) or setattr(self, '_secret', SECRET)"
    )
    test += "\npassed['tool'] = Tool()\nassert use(**passed) == [2, 5, {'size': 7}, {}, True, 5]"
    (result,) = run_tests([(STUDENT_CELL, student), (TEST_CELL, test)])
    assert result["outcome"] == "passed", result


def test_class_of_an_object_cannot_be_called() -> None:
    student = "def use(tool):\n    try: return type(tool)()\n    except PermissionError: return tool.shown"
    test = "class Tool:\n    shown = 5\nassert use(Tool()) == 5"
    (result,) = run_tests([(STUDENT_CELL, student), (TEST_CELL, test)])
    assert result["outcome"] == "passed", result


def test_attribute_that_the_notebook_sets_on_a_function_stays_until_the_function_is_gone() -> None:
    student = """
import weakref
seen = []
def tag(f):
    f.first = f
    f.second = [len(seen)]
    seen.append(weakref.ref(f))
    return f
def read(f):
    return f.first is f, f.second, sorted(vars(f)), seen[0]() is f, f is tag(f), f.second
"""
    test = "def g(): pass\nassert tag(g) is g\nassert read(g) == (True, [0], ['first', 'second'], True, True, [1])"
    test += "\nassert not hasattr(g, 'unknown')"
    results = run_tests([(STUDENT_CELL, student), (TEST_CELL, test)])
    assert [result["outcome"] for result in results] == ["passed"] * len(results), results


def test_failed_assertion_in_a_callback_reveals_nothing_to_the_student() -> None:
    student = "messages = []\ndef f(g):\n    try: g()\n    except AssertionError as e: messages.append(str(e))"
    test = "def g():\n    assert 1 == 424242, 'it is 424242'\nf(g)\nassert messages == ['']"
    assert run_tests([(STUDENT_CELL, student), (TEST_CELL, test)])[-1]["outcome"] == "passed"


MEMORY_ACCESS = {
    "functions of native code": "rng.bit_generator.ctypes.next_uint32",
    "a capsule": "rng.bit_generator.capsule",
    "the address of an array": "masked.ctypes",
    "an operator in place of a call": (
        "object.__getattribute__(base, '_pmh_reference').peer.request('apply-operator', base.execute, 'call', (\"attach 'x' as x\",))"
    ),
    "a statement that opens a file": "base.execute(\"attach 'x' as x\")",
    "a statement behind a quoted name": "base.executescript('select 1 as \"x\\'\"; attach \\'y\\' as z; select \"\\'\"')",
    "a setting of SQLite that names a folder": "base.execute(\"pragma temp_store_directory = '/tmp'\")",
    "another database": "base.backup",
    "the content of a database": "base.deserialize",
    "a library for a database": "base.enable_load_extension",
}
LIBRARY_OBJECTS = """
import sqlite3
import numpy as np
passed = dict(
    rng=np.random.default_rng(1), base=sqlite3.connect(":memory:"), pointer=__import__("ctypes").c_int(1), masked=np.ma.array([1, 2])
)
"""


@pytest.mark.parametrize("access", MEMORY_ACCESS.values(), ids=MEMORY_ACCESS.keys())
def test_object_of_a_library_gives_no_access_to_memory_or_files(access: str) -> None:
    student = f"""
def use(rng, base, masked):
    try: {access}
    except (AttributeError, PermissionError, TypeError): return rng.random() < 1, base.execute("select 1").fetchall()
"""
    test = f"{LIBRARY_OBJECTS}\ndel passed['pointer']\nassert use(**passed) == (True, [(1,)])"
    assert run_tests([(STUDENT_CELL, student), (TEST_CELL, test)])[-1]["outcome"] == "passed"


@pytest.mark.parametrize(
    "statement",
    [
        "select 'please attach a file'",
        "select 'it''s a pragma'",
        "PRAGMA foreign_keys = ON",
        "pragma table_info('people')",
    ],
)
def test_ordinary_statements_may_be_executed(statement: str) -> None:
    student = f"def use(base): return len(base.execute({statement!r}).fetchall())"
    test = "import sqlite3\nassert use(sqlite3.connect(':memory:')) < 2"
    assert run_tests([(STUDENT_CELL, student), (TEST_CELL, test)])[-1]["outcome"] == "passed"


def test_object_of_a_test_may_have_an_attribute_with_a_name_of_numpy() -> None:
    student = "def load(ship): return ship.capsule"
    test = "class Ship:\n    capsule = 3\nassert load(Ship()) == 3"
    assert run_tests([(STUDENT_CELL, student), (TEST_CELL, test)])[-1]["outcome"] == "passed"


def test_function_of_native_code_is_not_passed() -> None:
    student = "def use(rng, base, pointer, masked): return pointer"
    results = run_tests([(STUDENT_CELL, student), (TEST_CELL, f"{LIBRARY_OBJECTS}\nassert use(**passed)")])
    assert results[-1]["outcome"] == "failed" and results[-1]["error_type"] == "TypeError"


def test_namespace_of_the_tests_cannot_be_passed() -> None:
    student = "def f(names): return names['SECRET']"
    results = run_tests([(STUDENT_CELL, student), (TEST_CELL, "SECRET = 424242\nassert f(globals()) == 1")])
    assert results[-1]["outcome"] == "failed" and results[-1]["error_type"] == "TypeError"
