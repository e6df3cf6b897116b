"""What a hidden test expects is revealed nowhere: not in a message, a verdict, a flag, a log line or the grading's JSON."""

from __future__ import annotations

import logging

import pytest

from pmh_jupyter.domain.course import Release
from pmh_jupyter.domain.feedback_text import format_message
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.domain.verdict import Message, Outcome
from tests.support.grading.grading_json import serialize_grading
from tests.support.grading.lesson import (
    fill_in_answers,
    grade_in_sandbox,
    index_verdicts,
    make_notebook_file,
    make_task,
    start_bubblewrap_backend,
)

pytestmark = pytest.mark.needs("bubblewrap")

# Texts that occur only in hidden tests: expected values in every form of assertion, and the source around them.
CANARIES = ("918273", "0.73317", "zqcanary", "zqinput", "zqhelper", "zqname")
HIDDEN = """
zqname = [918273, "zqcanary", {"zqcanary": 0.73317}]
def zqhelper(value, expected=918273):
    assert value == expected
assert f(1) == 918273
assert f("zqinput") == "zqcanary-text"
assert f(2) in (918273, 9182735)
assert f(3) > 918273 and f(3) != "zqcanary"
assert abs(f(4) - 0.73317) < 1e-9
assert not f(5) or f(5) == zqname
assert isinstance(f(6), int), None
zqhelper(f(7))
for given, expected in ((1, 918273), (2, "zqcanary")):
    assert f(given) == expected
assert sorted([f(8), 918273]) == [918273, 918273]
assert {"zqcanary": f(9)} == {"zqcanary": 918273}
assert f(10) is zqname[0]
zqname.index(f(11))
"""
VISIBLE = "assert f(0) == 0\n### BEGIN HIDDEN TESTS" + HIDDEN + "### END HIDDEN TESTS"

# Each passes the visible test.
WRONG = {
    "constant": "return 0",
    "nothing": "return None if x else 0",
    "a text": "return 'x' if x else 0",
    "raises": "return 1 / 0 if x else 0",
    "raises what it was given": "raise ValueError(x) if x else None",
    "raises a class named so": "return _raise(type('E' + str(x), (Exception,), {})) if x else 0",
    "an assertion of its own": "assert not x, x\n    return 0",
    "endless depth": "return f(x) if x else 0",
    "a key error": "return {0: 0}[x]",
    "says it is equal": "return type('Any', (), {'__eq__': lambda self, other: True, '__repr__': lambda self: 'me'})() if x else 0",
    "raises what it is compared with": "return type('Any', (), {'__eq__': _told, '__lt__': _told, '__sub__': _told})() if x else 0",
    "shows what it is compared with": "return _Mirror() if x else 0",
    "a subclass of int": "return _Int(x) if x else 0",
    "ends Python": "import os\n    return os._exit(3) if x else 0",
    "asks": "return input(x) if x else 0",
    "prints": "print(x)\n    return 0",
    "reads the frames above": "import sys\n    return repr(sys._getframe(1).f_locals)[:200] if x else 0",
    "walks all frames": "return _frames() if x else 0",
    "the stub": None,
    "no function": None,
}  # fmt: skip
HELPERS = """
import sys
def _raise(error): raise error
def _told(self, other): raise ValueError(repr(other))
class _Mirror:
    seen = None
    def __eq__(self, other):
        _Mirror.seen = other
        return False
    def __repr__(self): return repr(_Mirror.seen)
class _Int(int):
    def __eq__(self, other): raise KeyError(other)
    __lt__ = __gt__ = __sub__ = __eq__
def _frames():
    frame, found = sys._getframe(1), []
    while frame:
        found.append((frame.f_code.co_consts, sorted(map(str, frame.f_locals.items()))))
        frame = frame.f_back
    raise LookupError(str(found)[-4000:])
"""


def _release() -> Release:
    def cell(source: str, **nbgrader: object) -> dict[str, object]:
        return {"cell_type": "code", "source": source, "metadata": {"nbgrader": nbgrader}}

    cells = [
        cell("### BEGIN SOLUTION\nf = None\n### END SOLUTION", grade_id="f", solution=True),
        cell(VISIBLE, grade_id="f-tests", grade=True, points=3, locked=True),
        cell(VISIBLE, grade_id="f-weights", grade=True, points=3, locked=True),
    ]
    cells[2]["metadata"]["pmh"] = {"weights": "equal"}  # type: ignore[index]
    return build_release("lesson", "Lesson", [make_notebook_file(cells, "lesson.ipynb")], [])


RELEASE = _release()


def _answer(body: str | None, name: str) -> str:
    if name == "the stub":
        return "raise NotImplementedError()"
    return "g = 1" if body is None else f"{HELPERS}\ndef f(x):\n    {body}"


def _task(name: str) -> GradingTask:
    return make_task(make_notebook_file(fill_in_answers({"f": _answer(WRONG[name], name)}, RELEASE)), release=RELEASE)


def _sentences(message: Message | None) -> str:
    return "" if message is None else f"{format_message(message)} {dict(message.params)}"


@pytest.mark.parametrize("name", WRONG)
def test_expected_values_of_hidden_tests_are_revealed_nowhere(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    grading = grade_in_sandbox(_task(name), start_bubblewrap_backend())
    verdict = index_verdicts(grading)["f"]
    assert grading.grader_error is None
    assert verdict.outcome is not Outcome.PASSED
    assert verdict.millipoints < 6000
    texts = [serialize_grading(grading).decode(), caplog.text, _sentences(verdict.message)]
    texts += [f"{_sentences(test.message)} {test}" for test in verdict.tests]
    leaks = [(canary, text) for canary in CANARIES for text in texts if canary in text]
    assert leaks == []


def test_search_finds_the_values_of_visible_tests() -> None:
    """As visible tests, the same assertions reveal what they expect."""
    visible = VISIBLE.replace("BEGIN HIDDEN TESTS", "").replace("END HIDDEN TESTS", "")
    original = _task("constant")
    (file,) = RELEASE.sealed_files
    plain = make_notebook_file(
        [
            {**cell, "source": cell["source"] if cell["metadata"]["nbgrader"]["solution"] else visible}
            for cell in fill_in_answers({}, RELEASE)
        ],
        file.path,
    )
    grading = grade_in_sandbox(
        GradingTask(original.exercises, (plain,), original.submitted_files, limits=original.limits),
        start_bubblewrap_backend(),
    )
    assert all(canary in serialize_grading(grading).decode() for canary in ("918273", "zqcanary"))


NAMES = """
### BEGIN HIDDEN TESTS
zqname = 918273
### END HIDDEN TESTS
assert "f" in globals()
assert f in [0] + In
assert isinstance(f, int), f"{globals()}"
assert "f" in vars()
### BEGIN HIDDEN TESTS
assert f == zqname
### END HIDDEN TESTS
"""


def test_visible_test_that_reads_all_names_or_cells_reveals_nothing_hidden() -> None:
    cells = [{**cell, "source": NAMES} if "f-tests" in str(cell) else cell for cell in fill_in_answers({}, RELEASE)[:2]]
    cells[0]["source"] = "### BEGIN SOLUTION\nf = 918273\n### END SOLUTION"
    release = build_release("lesson", "Lesson", [make_notebook_file(cells, "lesson.ipynb")], [])
    grading = grade_in_sandbox(
        make_task(make_notebook_file(fill_in_answers({"f": "f = 'x'"}, release)), release=release),
        start_bubblewrap_backend(),
    )
    assert index_verdicts(grading)["f"].outcome is Outcome.FAILED
    text = serialize_grading(grading).decode() + str(
        [_sentences(test.message) for test in index_verdicts(grading)["f"].tests]
    )
    assert [canary for canary in CANARIES if canary in text] == []


# Characters at which `str.splitlines` ends a line, and Python does not.
SEPARATORS = ("\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")


@pytest.mark.parametrize("separator", SEPARATORS, ids=ascii)
def test_unusual_separators_above_hidden_tests_reveal_nothing(separator: str) -> None:
    text = f"poem = 'one{separator}two{separator}three{separator}four'\n" if separator != "\x0c" else "\x0c\n" * 4
    source = f"{text}assert f(0) == 0\n### BEGIN HIDDEN TESTS\nassert f(1) == 918273\n### END HIDDEN TESTS"
    cells = [
        {**cell, "source": source} if "f-tests" in str(cell) else cell for cell in fill_in_answers({}, RELEASE)[:2]
    ]
    cells[0]["source"] = "### BEGIN SOLUTION\nf = {0: 0, 1: 918273}.get\n### END SOLUTION"
    release = build_release("lesson", "Lesson", [make_notebook_file(cells, "lesson.ipynb")], [])
    assert "918273" not in release.student_files[0].content.decode()
    grading = grade_in_sandbox(
        make_task(make_notebook_file(fill_in_answers({"f": "f = abs"}, release)), release=release),
        start_bubblewrap_backend(),
    )
    verdict = index_verdicts(grading)["f"]
    assert verdict.outcome is Outcome.FAILED and [test.is_hidden for test in verdict.tests] == [False, True]
    text = serialize_grading(grading).decode() + str([_sentences(test.message) for test in verdict.tests])
    assert "918273" not in text
