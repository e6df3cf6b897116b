"""Notebooks in another language than Python: a real kernel runs them behind the backend, and what it loses costs no other exercise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pmh_jupyter.authoring.isolation_report import report_isolation
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.authoring.validation import validate_course
from pmh_jupyter.domain.course import Course, File, Lesson
from pmh_jupyter.domain.feedback_text import feedback_text
from pmh_jupyter.domain.isolation import Isolation
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.isolation import decide_isolation
from pmh_jupyter.grading.task import EffectiveLimits
from tests.support.grading.bash_lesson import NOTEBOOK, RIGHT, backend_with_bash, bash_files, bash_lesson, submitted
from tests.support.grading.lesson import bubblewrap, by_name, grade, task

pytestmark = pytest.mark.needs("bubblewrap")
LIMITS = EffectiveLimits(cell_seconds=5, submission_seconds=90)
SOLVED = (Outcome.PASSED, 1000, "solved")


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxBackend]:
    made = backend_with_bash(tmp_path_factory.mktemp("bash") / "environment")
    yield made
    made.close()


def _verdicts(
    answers: dict[str, str], backend: SandboxBackend, limits: EffectiveLimits = LIMITS
) -> dict[str, tuple[Outcome, int, str]]:
    release = bash_lesson()
    grading = grade(
        task(submitted(answers, release), *release.student_files[1:], release=release, limits=limits), backend
    )
    assert grading.grader_error is None
    found = by_name(grading)
    assert "90126" not in str(grading), "of the hidden test"
    return {
        name: (one.outcome, one.millipoints, one.message.code if one.message else "") for name, one in found.items()
    }


def test_right_answers_pass_whatever_kernel_the_submission_names(backend: SandboxBackend) -> None:
    assert _verdicts(RIGHT, backend) == {name: SOLVED for name in RIGHT}


def test_a_wrong_answer_is_told_what_its_test_says_and_of_a_hidden_one_nothing(backend: SandboxBackend) -> None:
    wrong = RIGHT | {"greet": "greet() { echo Hi; }", "shout": "shout() { echo $1; }"}
    release = bash_lesson()
    grading = grade(task(submitted(wrong, release), release=release, limits=LIMITS), backend)
    messages = {name: feedback_text(one.message) for name, one in by_name(grading).items() if one.message}
    assert messages == {
        "greet": "Not yet: Greet by name.",
        "count": "Solved.",
        "shout": "Not yet: a hidden test does not pass.",
    }


def test_an_untouched_notebook_earns_nothing(backend: SandboxBackend) -> None:
    assert {points for _, points, _ in _verdicts({}, backend).values()} == {0}


def test_what_hangs_or_ends_its_shell_costs_nothing_else(backend: SandboxBackend) -> None:
    limits = replace(LIMITS, cell_seconds=2)
    found = _verdicts(RIGHT | {"greet": "while :; do :; done", "count": "exit 0"}, backend, limits)
    assert found == {
        "greet": (Outcome.TIMED_OUT, 0, "cell-timed-out"),
        "count": (Outcome.CRASHED, 0, "kernel-ended"),
        "shout": SOLVED,
    }


def test_what_floods_or_kills_its_kernel_costs_nothing_else(backend: SandboxBackend) -> None:
    limits = replace(LIMITS, output_bytes=20_000)
    found = _verdicts(RIGHT | {"greet": "yes", "count": "kill -9 $PPID"}, backend, limits)
    assert found == {
        "greet": (Outcome.CRASHED, 0, "output-limit-exceeded"),
        "count": (Outcome.CRASHED, 0, "kernel-ended"),
        "shout": SOLVED,
    }


def test_a_test_that_ends_the_shell_does_not_pass(backend: SandboxBackend) -> None:
    assert _verdicts(RIGHT | {"greet": "greet() { exit 0; }\n[() { exit 0; }"}, backend)["greet"][:2] == (
        Outcome.CRASHED,
        0,
    )


def test_it_is_judged_inside_and_the_author_is_told(backend: SandboxBackend) -> None:
    release = bash_lesson()
    (part,) = decide_isolation(task(release=release), backend).notebooks
    assert (part.isolation, part.reason and part.reason.code) == (Isolation.IN_PROCESS, "in-process-kernel")
    report = validate_course(_course(), backend)
    assert report.problems == ()
    assert any("kernel “bash”" in one.message for one in report.warnings)


def test_a_hidden_test_is_refused_unless_its_author_accepts(backend: SandboxBackend) -> None:
    notebook, words_file = bash_files()
    cells = json.loads(notebook.content)
    del cells["cells"][-1]["metadata"]["pmh"]
    lesson = Lesson("shell", "Shell", "", (File(NOTEBOOK, json.dumps(cells).encode()), words_file))
    judged = report_isolation(lesson, release_lesson(lesson), backend)
    assert [one.cell for one in judged.problems] == ["shout-tests"]
    assert "accept_in_process" in judged.problems[0].remedy


def test_a_kernel_that_is_not_there_is_the_authors_to_mend_and_nobodys_zero() -> None:
    missing = {"display_name": "R", "language": "R", "name": "ir"}
    release = bash_lesson(missing)
    grading = grade(task(submitted(RIGHT, release), release=release, limits=LIMITS), bubblewrap())
    assert grading.grader_error is not None
    assert {verdict.outcome for verdict in grading.verdicts} == {Outcome.GRADER_ERROR}
    (problem,) = validate_course(_course(missing), bubblewrap()).problems
    assert "the kernel ir is not installed where submissions are graded" in problem.message
    assert "PMH_GRADER_PYTHON" in problem.remedy


def _course(kernel: dict[str, str] | None = None) -> Course:
    files = bash_files(kernel) if kernel else bash_files()
    return Course("shells", "Shells", "", (Lesson("shell", "Shell", "", files),), (), ())
