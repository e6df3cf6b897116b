"""The starter course's lesson with the real grader: its solutions, its stubs, and typical answers of beginners.

tests/submissions/values-and-names/ has a file for each exercise. An answer with `caught_by` is wrong, and names the first test that
fails, by its tested expression if it could not be evaluated; an answer without it is right in another way than the reference.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.authoring.course import read_course, read_folder
from pmh_jupyter.authoring.isolation_report import report_isolation
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.authoring.release_trial import run_trial
from pmh_jupyter.domain.course import Release
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import Isolation
from pmh_jupyter.domain.verdict import ExerciseVerdict, Outcome
from pmh_jupyter.grading.backends import SandboxBackend, create_bubblewrap_backend
from tests.support.grading.answers import fill_answers
from tests.support.grading.in_process_list import read_in_process_cells
from tests.support.grading.lesson import grade_in_sandbox
from tests.support.needs import needs

ROOT = Path(__file__).parents[3]
LESSON = read_course(read_folder(ROOT / "courses" / "python-mastery")).lessons[0]
FILES = sorted((ROOT / "tests" / "submissions" / LESSON.slug).glob("*.toml"))
ANSWERS = [
    (data["exercise"], answer)
    for data in (tomllib.loads(file.read_text(encoding="utf-8")) for file in FILES)
    for answer in data["answers"]
]


@pytest.fixture(scope="module")
def release() -> Release:
    return release_lesson(LESSON)


@pytest.fixture(scope="module")
def backend() -> SandboxBackend:
    needs("bubblewrap")
    return create_bubblewrap_backend()


def test_solutions_pass_and_stubs_do_not(release: Release, backend: SandboxBackend) -> None:
    report = report_isolation(LESSON, release, backend)
    assert report.problems == ()
    in_process = {
        f"{LESSON.slug}:{part.cell}" for part in report.isolation.notebooks if part.isolation is Isolation.IN_PROCESS
    }
    assert in_process == set(read_in_process_cells("starter"))
    assert run_trial(LESSON, release, report.isolation, backend) == ()


@pytest.mark.parametrize(
    ("exercise", "answer"), ANSWERS, ids=[f"{exercise}: {answer['what']}" for exercise, answer in ANSWERS]
)
def test_answer_gets_the_expected_verdict(
    release: Release, backend: SandboxBackend, exercise: str, answer: dict[str, Any]
) -> None:
    submitted = fill_answers(release, {exercise: answer["code"].strip()})
    task = GradingTask(release.exercises, release.sealed_files, submitted, only_exercises=frozenset({exercise}))
    (verdict,) = grade_in_sandbox(task, backend).verdicts
    assert _first_failed_test(verdict) == answer.get("caught_by")
    assert verdict.outcome is (Outcome.FAILED if "caught_by" in answer else Outcome.PASSED)
    assert verdict.millipoints == (0 if "caught_by" in answer else verdict.max_millipoints)


def test_every_exercise_has_a_wrong_and_a_right_answer(release: Release) -> None:
    kinds = {(exercise, "caught_by" in answer) for exercise, answer in ANSWERS}
    assert kinds == {(exercise.grade_id, wrong) for exercise in release.exercises for wrong in (True, False)}


def _first_failed_test(verdict: ExerciseVerdict) -> str | None:
    return next((test.name for test in verdict.tests if test.outcome is not Outcome.PASSED), None)
