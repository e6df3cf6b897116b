"""Right answers get all points without a flag, however unusual they are, and their tests stay in a separate process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from pmh_jupyter.domain.feedback_text import format_message
from pmh_jupyter.domain.isolation import Isolation, ReleaseIsolation
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.isolation import decide_isolation
from tests.support.grading.honest_variety import HonestAnswer, Shape, load_shapes, make_task, run_plainly
from tests.support.grading.lesson import bubblewrap

SHAPES = load_shapes()
MIN_SHAPES, MIN_ANSWERS = 60, 10
GRADINGS_AT_A_TIME = 2

all_shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))


@cache
def isolation_of(shape: Shape) -> ReleaseIsolation:
    return decide_isolation(make_task(shape), bubblewrap())


def grade_answer(shape: Shape, answer: HonestAnswer) -> list[str]:
    """Return what an answer has lost: points with their reason, and flags."""
    return list_losses(grade(make_task(shape, answer, isolation=isolation_of(shape)), bubblewrap()))


def list_losses(grading: Grading) -> list[str]:
    losses = ["grader error"] if grading.grader_error else []
    for verdict in grading.verdicts:
        if verdict.millipoints != verdict.max_millipoints:
            messages = [message for message in (verdict.message, *(test.message for test in verdict.tests)) if message]
            reason = " ".join(dict.fromkeys(map(format_message, messages)))
            losses.append(f"{verdict.millipoints / 1000} of {verdict.max_millipoints / 1000} points: {reason}")
    return losses + [f"flag {flag.code}: {flag.detail}" for flag in grading.flags]


def test_corpus_is_complete() -> None:
    assert len(SHAPES) >= MIN_SHAPES
    assert not {name: len(shape.answers) for name, shape in SHAPES.items() if len(shape.answers) < MIN_ANSWERS}


@all_shapes
def test_answers_are_right_in_plain_python(shape: Shape) -> None:
    errors = {answer.title: run_plainly(*answer.cells, shape.test) for answer in shape.answers}
    errors["reference"] = run_plainly(shape.reference, shape.test)
    assert not {title: error for title, error in errors.items() if error}


@all_shapes
def test_nothing_passes_without_an_answer(shape: Shape) -> None:
    assert run_plainly("", shape.test)


@pytest.mark.needs("bubblewrap")
@all_shapes
def test_tests_run_in_a_separate_process(shape: Shape) -> None:
    (notebook,) = isolation_of(shape).notebooks
    assert notebook.isolation is Isolation.SEPARATE_PROCESS or shape.may_run_in_process, notebook.reason


@pytest.mark.needs("bubblewrap")
@all_shapes
def test_honest_answers_get_all_points_without_a_flag(shape: Shape) -> None:
    isolation_of(shape)
    with ThreadPoolExecutor(GRADINGS_AT_A_TIME) as pool:
        losses = list(pool.map(lambda answer: grade_answer(shape, answer), shape.answers))
    assert not {answer.title: lost for answer, lost in zip(shape.answers, losses, strict=True) if lost}
