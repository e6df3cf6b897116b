"""Complete gradings: messages, isolation between gradings and notebooks, and reproducibility."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.feedback_text import format_message
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.domain.verdict import ExerciseVerdict, Outcome
from tests.support.grading.lesson import (
    RIGHT,
    fill_in_answers,
    grade_in_sandbox,
    index_verdicts,
    make_notebook_file,
    make_task,
    start_bubblewrap_backend,
)
from tests.support.notebooks import make_cell

pytestmark = pytest.mark.needs("bubblewrap")


def _graded(**answers: str) -> dict[str, ExerciseVerdict]:
    return index_verdicts(
        grade_in_sandbox(make_task(make_notebook_file(fill_in_answers(RIGHT | answers))), start_bubblewrap_backend())
    )


def test_each_assertion_has_a_name_and_an_expected_value() -> None:
    tests = _graded(double="def double(x):\n    return x + x if x == 2 else x")["double"].tests
    assert [(test.name, test.outcome, test.expected, test.got) for test in tests] == [
        ("double(2) == 4", Outcome.PASSED, None, None),
        ("A text is doubled by repeating it", Outcome.FAILED, "'abab'", "'ab'"),
    ]
    assert tests[1].message and format_message(tests[1].message) == "A text is doubled by repeating it"


def test_failed_assertion_in_a_loop_shows_its_values() -> None:
    mean = "def mean(numbers):\n    return 2 if numbers == [1, 2, 3] else 0"
    (test,) = [test for test in _graded(mean=mean)["mean"].tests if test.expected]
    assert (test.name, test.expected, test.got) == ("for numbers, expected in (([4], 4), ([0, 1], 0.5))", "4", "0")
    assert test.message and format_message(test.message) == "`mean(numbers)` gave 0, expected 4."


def test_error_names_the_students_cell_and_line() -> None:
    mean = "\n\ndef mean(numbers):\n    total = sum(numbers)\n    return total / len(numbers)"
    verdict = _graded(mean=mean)["mean"]
    (test,) = [test for test in verdict.tests if test.outcome is Outcome.FAILED]
    assert (test.cell, test.line) == ("mean", 5)
    assert verdict.message
    assert format_message(verdict.message) == "`mean([])` raised ZeroDivisionError in line 5: division by zero."


def test_syntax_error_names_its_line() -> None:
    message = _graded(mean="x = 1\n\ndef mean(:\n    pass")["mean"].message
    assert message
    assert (message.params["line"], message.params["error"]) == ("3", "SyntaxError")


def test_message_of_a_hidden_test_has_none_of_its_literals() -> None:
    mean = "def mean(numbers):\n    if len(numbers) == 2 and numbers[0] > 1:\n        raise ValueError(str(numbers))\n"
    mean += "    return sum(numbers) / len(numbers) if numbers else 0"
    (test,) = [test for test in _graded(mean=mean)["mean"].tests if test.outcome is Outcome.FAILED]
    assert (test.is_hidden, test.name, test.expected, test.got) == (True, "a hidden test", None, None)
    assert test.message and format_message(test.message) == "In a hidden test, your code raised ValueError."


def test_answer_that_only_hidden_tests_catch_passes_without_them() -> None:
    mean = "def mean(numbers):\n    return 0 if sum(numbers) > 1000 else sum(numbers) / max(len(numbers), 1)"
    original = make_task(make_notebook_file(fill_in_answers(RIGHT | {"mean": mean})))
    outcomes = [
        index_verdicts(grade_in_sandbox(replace(original, include_hidden_tests=hidden), start_bubblewrap_backend()))[
            "mean"
        ].outcome
        for hidden in (False, True)
    ]
    assert outcomes == [Outcome.PASSED, Outcome.FAILED]


def test_only_requested_exercises_get_a_verdict_and_all_cells_run() -> None:
    mean = "def mean(numbers):\n    return double(sum(numbers)) / 2 / len(numbers) if numbers else 0"
    original = make_task(
        make_notebook_file(fill_in_answers(RIGHT | {"mean": mean})), only_exercises=frozenset({"mean"})
    )
    (verdict,) = grade_in_sandbox(original, start_bubblewrap_backend()).verdicts
    assert (verdict.grade_id, verdict.outcome, verdict.millipoints) == ("mean", Outcome.PASSED, 2000)


def test_same_submission_gets_the_same_verdicts() -> None:
    source = "import random\ndef shout(text):\n    return text + str(random.random()) + str(hash(text)) + str({'a', 'b', 'c'})"
    first, second = (_graded(shout=source)["shout"] for _ in range(2))
    assert first == second and first.tests[0].got


def test_concurrent_gradings_do_not_mix() -> None:
    barrier = threading.Barrier(4)

    def run(number: int) -> str | None:
        barrier.wait()
        return _graded(shout=f"def shout(text):\n    return {number}")["shout"].tests[0].got

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == ["0", "1", "2", "3"]


def test_notebooks_share_files_but_no_names() -> None:
    def book(path: str, name: str, source: str) -> File:
        answer = {"grade_id": name, "solution": True}
        test = {"grade_id": f"{name}-tests", "grade": True, "locked": True, "points": 1}
        cells = [
            {"cell_type": "code", "source": source, "metadata": {"nbgrader": answer}},
            {"cell_type": "code", "source": f"assert {name} == 3", "metadata": {"nbgrader": test}},
        ]
        return make_notebook_file(cells, path)

    sources = [
        book("one.ipynb", "lines", "lines = len(open('data/words.txt').readlines())"),
        book("two.ipynb", "separate", "separate = 0 if 'lines' in globals() else 3"),
    ]
    data = File("data/words.txt", b"a\nb\nc\n")
    release = build_release("two", "Two", sources, [data])
    grading = grade_in_sandbox(make_task(*sources, release=release), start_bubblewrap_backend())
    assert [verdict.outcome for verdict in grading.verdicts] == [Outcome.PASSED, Outcome.PASSED]


def test_thousand_added_cells_do_not_change_the_verdicts() -> None:
    cells = fill_in_answers(RIGHT)
    cells[1:1] = [{"cell_type": "code", "source": f"x{n} = {n}", "metadata": {}} for n in range(1000)]
    grading = grade_in_sandbox(make_task(make_notebook_file(cells)), start_bubblewrap_backend())
    assert {verdict.outcome for verdict in grading.verdicts} == {Outcome.PASSED}


def test_manual_exercise_needs_grading() -> None:
    essay = {"grade_id": "essay", "solution": True, "grade": True, "points": 3}
    cells = [{"cell_type": "markdown", "source": "Why?", "metadata": {"nbgrader": essay}}]
    release = build_release("m", "M", [make_notebook_file(cells)], [])
    (verdict,) = grade_in_sandbox(
        make_task(make_notebook_file(cells), release=release), start_bubblewrap_backend()
    ).verdicts
    assert (verdict.outcome, verdict.millipoints, verdict.max_millipoints) == (Outcome.NEEDS_GRADING, 0, 3000)


def test_name_from_a_changed_locked_cell_is_explained_beside_the_repair() -> None:
    def cell(source: str, **nbgrader: object) -> dict[str, object]:
        return {"cell_type": "code", "source": source, "metadata": {"nbgrader": nbgrader}}

    cells = [
        cell("import math", grade_id="setup", locked=True),
        cell("### BEGIN SOLUTION\narea = 3\n### END SOLUTION", grade_id="area", solution=True),
        cell("assert area == 3", grade_id="area-tests", grade=True, locked=True, points=1),
    ]
    release = build_release("lesson", "Lesson", [make_notebook_file(cells)], [])
    submitted = fill_in_answers({"setup": "import math\nwidth = 3", "area": "area = width"}, release)
    grading = grade_in_sandbox(make_task(make_notebook_file(submitted), release=release), start_bubblewrap_backend())
    (verdict,) = grading.verdicts
    assert verdict.message and "`width` in the locked cell “setup”" in format_message(verdict.message)
    assert [repair.code for repair in grading.repairs] == ["repair-restored-locked-cell"]


HIDDEN = "### BEGIN HIDDEN TESTS\nassert double(3) == 6\n### END HIDDEN TESTS"


@pytest.mark.parametrize(
    ("test", "answer", "expected"),
    [
        pytest.param(HIDDEN, "def double(x): return 2 * x", ("not-checked", 0, "no-visible-tests"), id="right"),
        pytest.param(HIDDEN, "def double(x): return 5", ("not-checked", 0, "no-visible-tests"), id="wrong"),
        pytest.param(f"import math\n{HIDDEN}", "double = 5", ("not-checked", 0, "no-visible-tests"), id="preparation"),
        pytest.param(f"double(2)\n{HIDDEN}", "double = 5", ("failed", 0, "test-raised"), id="a visible line raises"),
        pytest.param(HIDDEN, "import os\nos._exit(3)", ("crashed", 0, "cell-exited"), id="the answer ends Python"),
        pytest.param(HIDDEN, "double = ", ("failed", 0, "cell-raised"), id="the answer raises"),
        pytest.param(f"assert double\n{HIDDEN}", "double = 5", ("passed", 1000, "solved"), id="a visible test"),
    ],
)
def test_check_without_hidden_tests_says_that_nothing_was_tested(
    test: str, answer: str, expected: tuple[str, int, str]
) -> None:
    cells = [
        make_cell("### BEGIN SOLUTION\ndouble = lambda x: 2 * x\n### END SOLUTION", grade_id="double", solution=True),
        make_cell(test, grade_id="t", grade=True, locked=True, points=1),
    ]
    release = build_release("lesson", "Lesson", [make_notebook_file(cells)], [])
    submitted = make_notebook_file(fill_in_answers({"double": answer}, release))
    task = make_task(submitted, release=release, include_hidden_tests=False)
    verdict = index_verdicts(grade_in_sandbox(task, start_bubblewrap_backend()))["double"]
    assert (verdict.outcome, verdict.millipoints, verdict.message and verdict.message.code) == expected


def test_file_that_does_not_fit_beside_the_notebook_costs_no_points() -> None:
    own = (File("photo.png", b"x" * (2 << 20)), File("x" * 300, b"x"), File("notes.txt", b"mine"))
    shout = "assert open('notes.txt').read() == 'mine'\n" + RIGHT["shout"]
    task = make_task(make_notebook_file(fill_in_answers(RIGHT | {"shout": shout})), *own)
    grading = grade_in_sandbox(
        replace(task, limits=replace(task.limits, file_bytes=1 << 20)), start_bubblewrap_backend()
    )
    assert {verdict.outcome for verdict in grading.verdicts} == {Outcome.PASSED}
    assert [message.code for message in grading.repairs] == ["left-out-name", "left-out-beside-notebook"]
    assert grading.repairs[1].params["path"] == "photo.png"


def test_files_larger_than_a_message_between_processes_are_graded() -> None:
    own = (File("results.bin", b"x" * (22 << 20)), File("more.bin", b"y" * (36 << 20)))
    shout = (
        "import os\nassert os.path.getsize('results.bin') + os.path.getsize('more.bin') == 58 << 20\n" + RIGHT["shout"]
    )
    task = make_task(make_notebook_file(fill_in_answers(RIGHT | {"shout": shout})), *own)
    grading = grade_in_sandbox(task, start_bubblewrap_backend())
    assert {verdict.outcome for verdict in grading.verdicts} == {Outcome.PASSED}
    assert grading.repairs == () and grading.grader_error is None
