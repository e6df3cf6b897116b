"""Right answers get all points without a flag, however unusual they are, and their tests stay in a separate process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import pytest

from pmh_jupyter.domain.feedback_text import format_message
from pmh_jupyter.domain.isolation import Isolation, ReleaseIsolation
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.isolation import decide_isolation
from tests.support.grading.honest_variety import Shape, load_shapes, make_task, run_plainly
from tests.support.grading.lesson import start_bubblewrap_backend

SHAPES = load_shapes()
MIN_SHAPES, MIN_ANSWERS = 60, 10
GRADINGS_AT_A_TIME = 2
MAX_WAIT_SECONDS = 150

all_shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))


@dataclass(frozen=True)
class ShapeGrading:
    """The isolation of a shape's release, and what its answers have lost, by title."""

    isolation: ReleaseIsolation
    losses: dict[str, list[str]]


def grade_shape(shape: Shape) -> ShapeGrading:
    """Decide the isolation as for a release, and grade all answers."""
    isolation = decide_isolation(make_task(shape), start_bubblewrap_backend())
    gradings = {
        answer.title: grade(make_task(shape, answer, isolation=isolation), start_bubblewrap_backend())
        for answer in shape.answers
    }
    return ShapeGrading(
        isolation, {title: lost for title, grading in gradings.items() if (lost := list_losses(grading))}
    )


def list_losses(grading: Grading) -> list[str]:
    losses = ["grader error"] if grading.grader_error else []
    for verdict in grading.verdicts:
        if verdict.millipoints != verdict.max_millipoints:
            messages = [message for message in (verdict.message, *(test.message for test in verdict.tests)) if message]
            reason = " ".join(dict.fromkeys(map(format_message, messages)))
            losses.append(f"{verdict.millipoints / 1000} of {verdict.max_millipoints / 1000} points: {reason}")
    return losses + [f"flag {flag.code}: {flag.detail}" for flag in grading.flags]


def format_by_title(texts: dict[str, list[str]]) -> str:
    return "\n".join(f"{title}: {text}" for title, lines in texts.items() for text in lines)


@pytest.fixture(scope="module", autouse=True)
def gradings(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[ShapeGrading]]]:
    """The gradings that the selected tests need. They run in the background from the first test on, in the order of the tests."""
    items = [item for item in request.session.items if item.path == request.path and item.get_closest_marker("needs")]
    shapes = {item.callspec.params["shape"] for item in items if isinstance(item, pytest.Function)}
    if shapes:
        with suppress(NoSandbox):  # the tests are skipped, or say why
            start_bubblewrap_backend()  # before two threads start it at once
    with ThreadPoolExecutor(GRADINGS_AT_A_TIME) as pool:
        yield {shape.name: pool.submit(grade_shape, shape) for shape in SHAPES.values() if shape in shapes}
        pool.shutdown(cancel_futures=True)


def test_corpus_is_complete() -> None:
    """Shapes that come from single reports may have fewer answers."""
    assert sum(len(shape.answers) >= MIN_ANSWERS for shape in SHAPES.values()) >= MIN_SHAPES


@all_shapes
def test_answers_are_right_in_plain_python(shape: Shape) -> None:
    errors = {answer.title: run_plainly(shape.locked, *answer.cells, shape.test) for answer in shape.answers}
    errors["reference"] = run_plainly(shape.locked, shape.reference, shape.test)
    failed = {title: [error] for title, error in errors.items() if error}
    assert not failed, format_by_title(failed)


@all_shapes
def test_nothing_passes_without_an_answer(shape: Shape) -> None:
    assert run_plainly(shape.locked, "", shape.test)


@pytest.mark.needs("bubblewrap")
@all_shapes
def test_tests_run_in_a_separate_process(shape: Shape, gradings: dict[str, Future[ShapeGrading]]) -> None:
    (notebook,) = gradings[shape.name].result(MAX_WAIT_SECONDS).isolation.notebooks
    assert notebook.isolation is Isolation.SEPARATE_PROCESS or shape.may_run_in_process, notebook.reason


@pytest.mark.needs("bubblewrap")
@all_shapes
def test_honest_answers_get_all_points_without_a_flag_unless_they_are_open(
    shape: Shape, gradings: dict[str, Future[ShapeGrading]]
) -> None:
    losses = gradings[shape.name].result(MAX_WAIT_SECONDS).losses
    assert bool(losses) is shape.is_open, format_by_title(losses)
