"""Test helpers in locked cells: tests use the lesson's own functions, even if a student changes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from pmh_jupyter.authoring.text_notebook import to_ipynb
from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.isolation import Isolation, NotebookIsolation, ReleaseIsolation
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.isolation import decide_isolation
from tests.support.grading.lesson import (
    PERCENT_HEADER,
    fill_in_answers,
    grade_in_sandbox,
    make_notebook_file,
    make_task,
    run_in_process,
    start_bubblewrap_backend,
)

pytestmark = pytest.mark.needs("bubblewrap")

CHECK = "def check(function, cases):\n    for value, wanted in cases:\n        assert function(value) == wanted"
CLOSE = "def is_close(left, right, tolerance=1e-6):\n    return abs(left - right) <= tolerance"
DOUBLE = "def double(x):\n    return 2 * x"
WRONG = "def double(x):\n    return 3 * x"


@dataclass(frozen=True)
class Lesson:
    """One answer between a locked cell and a test cell; `wrong` is an answer without points."""

    locked_cell: str
    test: str
    helpers: tuple[str, ...]
    answer: str = DOUBLE
    wrong: str = WRONG

    def release(self) -> Release:
        text = (
            f'{PERCENT_HEADER}# %% nbgrader={{"grade_id": "helpers", "locked": true}}\n{self.locked_cell}\n\n'
            f'# %% nbgrader={{"grade_id": "answer", "solution": true}}\n### BEGIN SOLUTION\n{self.answer}\n### END SOLUTION\n\n'
            f'# %% nbgrader={{"grade_id": "tests", "grade": true, "locked": true, "points": 1}}\n{self.test}\n'
        )
        return build_release("lesson", "Lesson", [to_ipynb(File("lesson.py", text.encode()))], [])


LESSONS = {
    "asserts": Lesson(CHECK, "check(double, [(1, 2), (3, 6)])", ("check",)),
    "returns a bool": Lesson(CLOSE, "assert is_close(double(0.1), 0.2)", ("is_close",)),
    "uses another helper": Lesson(
        f"{CLOSE}\n\n\ndef check(value, wanted):\n    assert is_close(double(value), wanted)", "check(4, 8)", ("check",)
    ),
    "uses a constant": Lesson(
        "TOLERANCE = 1e-6\n\ndef is_close(left, right):\n    return abs(left - right) <= TOLERANCE",
        "assert is_close(double(0.1), 0.2)",
        ("is_close",),
        wrong=f"{WRONG}\nTOLERANCE = 100",
    ),
    "uses an import": Lesson(
        "import math\n\ndef is_close(left, right):\n    return math.isclose(left, right)",
        "assert is_close(double(0.1), 0.2)",
        ("is_close",),
        wrong=f"{WRONG}\nclass math:\n    isclose = staticmethod(lambda left, right: True)",
    ),
    "redefined": Lesson(
        CHECK,
        "check(double, [(1, 2)])",
        ("check",),
        wrong=f"{WRONG}\ndef check(function, cases):\n    pass",
    ),
    "given other code": Lesson(
        CHECK,
        "check(double, [(1, 2)])",
        ("check",),
        wrong=f"{WRONG}\ncheck.__code__ = (lambda function, cases: None).__code__",
    ),
    "given other defaults": Lesson(
        CLOSE, "assert is_close(double(5), 10)", ("is_close",), wrong=f"{WRONG}\nis_close.__defaults__ = (100,)"
    ),
    "used by a function of the test": Lesson(
        CLOSE,
        "def near(value, wanted):\n    assert is_close(double(value), wanted)\n\nnear(5, 10)",
        ("is_close",),
        wrong=f"{WRONG}\nis_close = lambda *_: True",
    ),
    "a class in its cell": Lesson(
        "class Point:\n    def __init__(self, x):\n        self.x = x\n\n"
        "def is_point(value):\n    return isinstance(value, Point)",
        "assert is_point(double(1)) and isinstance(double(1), Point)\nassert double(4).x == 8",
        ("is_point",),
        answer="def double(x):\n    return Point(2 * x)",
        wrong="def double(x):\n    return 2 * x",
    ),
    "data that the answer changes": Lesson(
        "readings = [1, 2]\n\ndef count():\n    return len(readings)",
        "assert count() == 3 and readings[-1] == 6",
        (),
        answer="readings.append(6)",
        wrong="readings.append(7)",
    ),
    "data that the test alone reads": Lesson(
        f"readings = [1, 2]\n\n{CLOSE}",
        "assert readings == [1, 2, 6] and is_close(readings[2], 6)",
        ("is_close",),
        answer="readings.append(6)",
        wrong="readings.append(7)",
    ),
    "rebound by the reference": Lesson(
        "def double(x):\n    raise NotImplementedError", "assert double(2) == 4", (), answer=DOUBLE, wrong=WRONG
    ),
    "a global that it binds": Lesson(
        "calls = 0\n\ndef called():\n    global calls\n    calls += 1\n    return calls",
        "assert called() == 2",
        (),
        answer="called()",
        wrong="called(); called()",
    ),
}


@pytest.fixture(scope="module")
def backend() -> Iterator[SandboxBackend]:
    yield start_bubblewrap_backend()


@pytest.fixture(scope="module")
def isolations(backend: SandboxBackend) -> dict[str, ReleaseIsolation]:
    """Return the isolation that is decided for each lesson."""
    return {name: decide_isolation(make_task(release=lesson.release()), backend) for name, lesson in LESSONS.items()}


def graded(backend: SandboxBackend, lesson: Lesson, answer: str, release_isolation: ReleaseIsolation) -> Grading:
    release = lesson.release()
    submitted = make_notebook_file(fill_in_answers({"answer": answer}, release))
    return grade_in_sandbox(make_task(submitted, release=release, isolation=release_isolation), backend)


def points(grading: Grading) -> int:
    assert grading.grader_error is None
    return sum(verdict.millipoints for verdict in grading.verdicts)


each_lesson = pytest.mark.parametrize("name", LESSONS)
each_isolation = pytest.mark.parametrize("isolation", Isolation)


@each_lesson
def test_helpers_of_the_release_are_recorded(name: str, isolations: dict[str, ReleaseIsolation]) -> None:
    (isolation,) = isolations[name].notebooks
    assert (isolation.isolation, isolation.usage.test_helpers) == (Isolation.SEPARATE_PROCESS, LESSONS[name].helpers)


@each_lesson
@each_isolation
def test_right_answer_passes_and_wrong_one_fails(
    name: str, isolation: Isolation, backend: SandboxBackend, isolations: dict[str, ReleaseIsolation]
) -> None:
    lesson, release_isolation = LESSONS[name], isolations[name]
    release_isolation = run_in_process(release_isolation) if isolation is Isolation.IN_PROCESS else release_isolation
    right, wrong = (graded(backend, lesson, answer, release_isolation) for answer in (lesson.answer, lesson.wrong))
    assert (points(right), points(wrong)) == (1000, 0)
    assert right.flags == ()


def test_student_can_redefine_helpers_that_are_not_recorded_in_process(backend: SandboxBackend) -> None:
    lesson = LESSONS["redefined"]
    unknown = run_in_process(ReleaseIsolation("tests", (NotebookIsolation("lesson.ipynb"),)))
    assert points(graded(backend, lesson, lesson.wrong, unknown)) == 1000


@pytest.mark.parametrize("name", ["redefined", "given other code", "given other defaults"])
def test_changed_helper_is_flagged_in_process(
    name: str, backend: SandboxBackend, isolations: dict[str, ReleaseIsolation]
) -> None:
    grading = graded(backend, LESSONS[name], LESSONS[name].wrong, run_in_process(isolations[name]))
    assert [flag.code for flag in grading.flags] == ["helper-changed"]


@each_isolation
def test_failed_assertion_of_a_helper_is_explained(
    isolation: Isolation, backend: SandboxBackend, isolations: dict[str, ReleaseIsolation]
) -> None:
    release_isolation = (
        run_in_process(isolations["asserts"]) if isolation is Isolation.IN_PROCESS else isolations["asserts"]
    )
    (verdict,) = graded(backend, LESSONS["asserts"], WRONG, release_isolation).verdicts
    (test,) = verdict.tests
    assert test.message and test.message.code == "test-differs"
    assert test.message.params == {"expression": "function(value)", "expected": "2", "got": "3"}


SECRET = "def check(function, cases):\n    for value, wanted in cases:\n        assert function(value) == wanted, f'not {wanted}'"
HIDDEN = "assert double(1) == 2\n### BEGIN HIDDEN TESTS\ncheck(double, [(7717717, 15435434)])\n### END HIDDEN TESTS"


@each_isolation
def test_arguments_of_a_helper_in_a_hidden_test_are_not_revealed(isolation: Isolation, backend: SandboxBackend) -> None:
    lesson = Lesson(SECRET, HIDDEN, ("check",))
    release_isolation = decide_isolation(make_task(release=lesson.release()), backend)
    release_isolation = run_in_process(release_isolation) if isolation is Isolation.IN_PROCESS else release_isolation
    grading = graded(backend, lesson, "def double(x):\n    return 2 if x == 1 else 5", release_isolation)
    assert points(grading) == 0
    assert "15435434" not in repr(grading) and "7717717" not in repr(grading)
    assert [test.message.code for test in grading.verdicts[0].tests if test.message] == ["hidden-test-failed"]


def test_in_process_notebook_has_the_recorded_usage(backend: SandboxBackend) -> None:
    lesson = Lesson(
        f"import math\n\n{CLOSE}",
        "import sys\nassert is_close(math.pi * count, 3 * math.pi) and sys.modules['__main__'].count == 3",
        ("is_close",),
        answer="max = 3\ncount = max",
        wrong="class Three(int):\n    __rmul__ = lambda self, other: 3 * other\ncount = Three(4)",
    )
    release_isolation = decide_isolation(make_task(release=lesson.release()), backend)
    (isolation,) = release_isolation.notebooks
    assert isolation.isolation is Isolation.IN_PROCESS
    assert (isolation.usage.test_helpers, isolation.usage.rebound_names, isolation.usage.operators) == (
        ("is_close",),
        ("count", "max"),
        {"tests": ()},
    )
    assert isolation.usage.library_names == {"math": ("math", "")}
    right, wrong = (graded(backend, lesson, answer, release_isolation) for answer in (lesson.answer, lesson.wrong))
    assert (points(right), points(wrong)) == (1000, 0)
    assert [flag.code for flag in wrong.flags] == ["dishonest-operator"]


def test_names_shared_by_test_cells_stay_in_process(backend: SandboxBackend) -> None:
    text = "import sys\nlimit = 5\n\ndef small(x):\n    return x < limit and sys.modules['__main__'].double\n\nassert small(double(1))"
    second_test = (
        '\n\n# %% nbgrader={"grade_id": "more", "grade": true, "locked": true, "points": 1}\nassert small(double(2))'
    )
    lesson = Lesson(CLOSE, text + second_test, ())
    release_isolation = run_in_process(decide_isolation(make_task(release=lesson.release()), backend))
    assert points(graded(backend, lesson, DOUBLE, release_isolation)) == 2000
