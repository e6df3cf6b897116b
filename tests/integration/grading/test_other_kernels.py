"""Notebooks in other languages than Python: a real kernel runs them in the sandbox, and a lost cell affects no other exercise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pmh_jupyter.authoring.isolation_report import report_isolation
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.authoring.validation import validate_course
from pmh_jupyter.domain.course import Course, File, Lesson, Release
from pmh_jupyter.domain.feedback_text import format_message
from pmh_jupyter.domain.isolation import Isolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.isolation import decide_isolation
from tests.support.grading.bash_lesson import (
    NOTEBOOK,
    RIGHT,
    build_bash_lesson,
    create_backend_with_bash,
    make_bash_files,
    make_submitted_notebook,
)
from tests.support.grading.lesson import grade_in_sandbox, index_verdicts, make_task, start_bubblewrap_backend

pytestmark = pytest.mark.needs("bubblewrap")
LIMITS = EffectiveLimits(cell_seconds=30, submission_seconds=170)
SOLVED = (Outcome.PASSED, 1000, "solved")


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxBackend]:
    bash_backend = create_backend_with_bash(tmp_path_factory.mktemp("bash") / "environment")
    yield bash_backend
    bash_backend.close()


def _verdicts(
    answers: dict[str, str], backend: SandboxBackend, limits: EffectiveLimits = LIMITS
) -> dict[str, tuple[Outcome, int, str]]:
    release = build_bash_lesson()
    grading = grade_in_sandbox(
        make_task(
            make_submitted_notebook(answers, release), *release.student_files[1:], release=release, limits=limits
        ),
        backend,
    )
    assert grading.grader_error is None
    assert "90126" not in str(grading), "of the hidden test"
    return {
        name: (verdict.outcome, verdict.millipoints, verdict.message.code if verdict.message else "")
        for name, verdict in index_verdicts(grading).items()
    }


def test_right_answers_pass_with_any_kernel_name_in_the_submission(backend: SandboxBackend) -> None:
    assert _verdicts(RIGHT, backend) == {name: SOLVED for name in RIGHT}


def test_exercise_with_only_hidden_tests_is_not_checked_without_them(backend: SandboxBackend) -> None:
    release = build_bash_lesson()
    submitted = (make_submitted_notebook(RIGHT, release), *release.student_files[1:])
    task = make_task(*submitted, release=release, limits=LIMITS, include_hidden_tests=False)
    verdicts = index_verdicts(grade_in_sandbox(task, backend))
    assert {name: verdict.outcome for name, verdict in verdicts.items()} == {
        "greet": Outcome.PASSED,
        "count": Outcome.PASSED,
        "shout": Outcome.NOT_CHECKED,
    }


def test_wrong_answer_gets_the_tests_message_unless_it_is_hidden(backend: SandboxBackend) -> None:
    wrong = RIGHT | {"greet": "greet() { echo Hi; }", "shout": "shout() { echo $1; }"}
    release = build_bash_lesson()
    grading = grade_in_sandbox(
        make_task(make_submitted_notebook(wrong, release), release=release, limits=LIMITS), backend
    )
    messages = {
        name: format_message(verdict.message) for name, verdict in index_verdicts(grading).items() if verdict.message
    }
    assert messages == {
        "greet": "Greet by name.",
        "count": "Solved.",
        "shout": "A hidden test does not pass yet.",
    }


def test_untouched_notebook_has_no_points(backend: SandboxBackend) -> None:
    assert {points for _, points, _ in _verdicts({}, backend).values()} == {0}


def test_cell_that_hangs_or_ends_its_shell_affects_no_other(backend: SandboxBackend) -> None:
    limits = replace(LIMITS, cell_seconds=5)
    outcomes = _verdicts(RIGHT | {"greet": "while :; do :; done", "count": "exit 0"}, backend, limits)
    assert outcomes == {
        "greet": (Outcome.TIMED_OUT, 0, "cell-timed-out"),
        "count": (Outcome.CRASHED, 0, "kernel-ended"),
        "shout": SOLVED,
    }


def test_cell_that_floods_or_kills_its_kernel_affects_no_other(backend: SandboxBackend) -> None:
    limits = replace(LIMITS, output_bytes=20_000)
    outcomes = _verdicts(RIGHT | {"greet": "yes", "count": "kill -9 $PPID"}, backend, limits)
    assert outcomes == {
        "greet": (Outcome.CRASHED, 0, "output-limit-exceeded"),
        "count": (Outcome.CRASHED, 0, "kernel-ended"),
        "shout": SOLVED,
    }


def test_test_that_ends_the_shell_does_not_pass(backend: SandboxBackend) -> None:
    assert _verdicts(RIGHT | {"greet": "greet() { exit 0; }\n[() { exit 0; }"}, backend)["greet"][:2] == (
        Outcome.CRASHED,
        0,
    )


def test_author_is_warned_about_in_process_tests(backend: SandboxBackend) -> None:
    release = build_bash_lesson()
    (part,) = decide_isolation(make_task(release=release), backend).notebooks
    assert (part.isolation, part.reason and part.reason.code) == (Isolation.IN_PROCESS, "in-process-kernel")
    report = validate_course(_course(), backend)
    assert report.problems == ()
    assert any("kernel “bash”" in warning.message for warning in report.warnings)


def test_hidden_test_is_refused_unless_its_author_accepts_it(backend: SandboxBackend) -> None:
    notebook, words_file = make_bash_files()
    cells = json.loads(notebook.content)
    del cells["cells"][-1]["metadata"]["pmh"]
    lesson = Lesson("shell", "Shell", "", (File(NOTEBOOK, json.dumps(cells).encode()), words_file))
    report = report_isolation(lesson, release_lesson(lesson), backend)
    assert [problem.cell for problem in report.problems] == ["shout-tests"]
    assert "accept_in_process" in report.problems[0].remedy


def _build_lesson_with_hidden_test_first() -> Release:
    notebook, words_file = make_bash_files()
    content = json.loads(notebook.content)
    content["cells"] = content["cells"][4:] + content["cells"][:4]
    return build_release("shell", "Shell", [File(NOTEBOOK, json.dumps(content).encode())], [words_file])


@pytest.mark.parametrize(
    "shout",
    [
        pytest.param('shout() { echo "$1" >> kept; echo "${1^^}"; }', id="input"),
        pytest.param("trap 'echo \"$BASH_COMMAND\" >> kept' DEBUG\n" + RIGHT["shout"], id="text"),
        pytest.param(RIGHT["shout"] + "\necho nothing > kept", id="honest"),
    ],
)
def test_visible_test_shows_nothing_of_an_earlier_hidden_one(backend: SandboxBackend, shout: str) -> None:
    release = _build_lesson_with_hidden_test_first()
    answers = RIGHT | {"shout": shout, "greet": 'greet() { cat kept >&2; echo "I forgot $1" >&2; }'}
    files = (make_submitted_notebook(answers, release), *release.student_files[1:])
    grading = grade_in_sandbox(make_task(*files, release=release, limits=LIMITS), backend)
    verdicts = index_verdicts(grading)
    assert {name: verdict.millipoints for name, verdict in verdicts.items()} == {
        "greet": 0,
        "count": 1000,
        "shout": 1000,
    }
    assert "90126" not in str(grading)
    assert verdicts["greet"].message
    assert format_message(verdicts["greet"].message).endswith("I forgot Ada\nGreet by name.")


def test_check_without_hidden_tests_says_that_a_cell_has_no_others(backend: SandboxBackend) -> None:
    release = build_bash_lesson()
    files = (make_submitted_notebook(RIGHT, release), *release.student_files[1:])
    task = make_task(*files, release=release, limits=LIMITS, include_hidden_tests=False)
    grading = grade_in_sandbox(task, backend)
    assert grading.grader_error is None
    assert {verdict.outcome for verdict in grading.verdicts} == {Outcome.PASSED, Outcome.NOT_CHECKED}
    assert {verdict.message.code for verdict in grading.verdicts if verdict.message} == {"solved", "no-visible-tests"}


def test_file_that_does_not_fit_beside_the_notebook_costs_no_points(backend: SandboxBackend) -> None:
    release = build_bash_lesson()
    own = (File("photo.png", b"x" * (2 << 20)), File("x" * 300, b"x"))
    files = (make_submitted_notebook(RIGHT, release), *release.student_files[1:], *own)
    task = make_task(*files, release=release, limits=replace(LIMITS, file_bytes=1 << 20))
    grading = grade_in_sandbox(task, backend)
    assert {verdict.outcome for verdict in grading.verdicts} == {Outcome.PASSED}
    assert [message.code for message in grading.repairs] == ["left-out-name", "left-out-beside-notebook"]


def test_missing_kernel_is_a_problem_of_the_author_and_a_grader_error() -> None:
    missing = {"display_name": "R", "language": "R", "name": "ir"}
    release = build_bash_lesson(missing)
    grading = grade_in_sandbox(
        make_task(make_submitted_notebook(RIGHT, release), release=release, limits=LIMITS), start_bubblewrap_backend()
    )
    assert grading.grader_error is not None
    assert {verdict.outcome for verdict in grading.verdicts} == {Outcome.GRADER_ERROR}
    (problem,) = validate_course(_course(missing), start_bubblewrap_backend()).problems
    assert "the kernel ir is not installed where submissions are graded" in problem.message
    assert "PMH_GRADER_PYTHON" in problem.remedy


def _course(kernel: dict[str, str] | None = None) -> Course:
    files = make_bash_files(kernel) if kernel else make_bash_files()
    return Course("shells", "Shells", "", (Lesson("shell", "Shell", "", files),), (), ())
