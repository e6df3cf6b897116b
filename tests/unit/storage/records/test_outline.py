"""The outline of a classroom for one member."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.deadlines import LocalSchedule
from pmh_jupyter.domain.progress import ProgressState
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.records import classrooms, lessons, outline
from tests.support.clock import NOON
from tests.support.storage.school import (
    CLASSROOM,
    FIRST,
    SECOND,
    School,
    latest_event_number,
)


def test_outline_of_a_new_member(school: School) -> None:
    loaded = outline.load_outline(school.database, school.add_member().id, CLASSROOM)
    assert [(lesson.slug, lesson.unit, lesson.state) for lesson in loaded.lessons] == [
        ("first", "Unit 1", ProgressState.NOT_STARTED),
        ("second", "Unit 2", ProgressState.NOT_STARTED),
    ]
    assert (loaded.next_lesson, loaded.last_event_number) == ("first", 3)
    assert [exercise.exercise for exercise in loaded.lessons[0].exercises] == list(FIRST.exercises)
    assert (loaded.lessons[0].notebooks, loaded.lessons[0].max_millipoints) == (("lesson.ipynb",), 4000)
    assert [
        (award.achievement.slug, award.earned_at, award.current, award.target) for award in loaded.achievements
    ] == [
        ("first-solve", None, 0, 1),
        ("lesson", None, 0, 1),
        ("streak", None, 0, 3),
    ]


def test_outline_of_a_member_with_progress(school: School) -> None:
    ada = school.add_member()
    classrooms.set_assignment(school.database, CLASSROOM, "first", schedule=LocalSchedule("UTC"), max_submissions=2)
    school.check(ada, a=Outcome.PASSED, b=Outcome.FAILED)
    school.submit(ada, a=Outcome.PASSED, b=Outcome.FAILED)
    lessons.record_opened_release(school.database, ada.id, CLASSROOM, "second", SECOND.id)
    school.send(ada, SubmissionKind.CHECK, "c", lesson="second")
    first, second = (loaded := outline.load_outline(school.database, ada.id, CLASSROOM)).lessons
    assert [(exercise.progress.state, exercise.progress.attempts) for exercise in first.exercises] == [
        (ProgressState.DONE, 2),
        (ProgressState.IN_PROGRESS, 2),
    ]
    assert (first.state, first.millipoints, first.solved_count) == (ProgressState.IN_PROGRESS, 2000, 1)
    assert (first.submissions_left, first.submitted_at) == (1, NOON)
    assert [exercise.progress.state for exercise in second.exercises] == [
        ProgressState.GRADING,
        ProgressState.NOT_STARTED,
    ]
    assert (second.submissions_left, second.submitted_at) == (None, None)
    assert loaded.next_lesson == "first"
    assert [(award.earned_at, award.current) for award in loaded.achievements] == [(NOON, 1), (None, 0), (None, 1)]
    assert loaded.last_event_number == latest_event_number(school.database)
    with pytest.raises(NotFound):
        outline.load_outline(school.database, ada.id, "elsewhere")
