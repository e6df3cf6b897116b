"""Limits of an assignment: the classroom's replace the author's, outlive a new version, and are part of the grading key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.records import classrooms, courses
from pmh_jupyter.storage.records.assignment_limits import AssignmentLimits, get_assignment_limits, set_limit_overrides
from pmh_jupyter.storage.records.regrades import RegradeSummary, enqueue_regrades
from tests.support.storage.school import CLASSROOM, FIRST, SECOND, School, course

AUTHOR = RequestedLimits(cell_seconds=3.0, processes=7)
OVERRIDES = RequestedLimits(cell_seconds=9.5, memory_bytes=6 << 30)
COMBINED = RequestedLimits(cell_seconds=9.5, memory_bytes=6 << 30, processes=7)


@pytest.fixture
def teacher(school: School) -> Person:
    return school.add_member("teacher", Role.INSTRUCTOR)


def limits_of_next_job(school: School, person: Person) -> RequestedLimits:
    school.send(person)
    return school.claim().requested_limits


def test_limits_of_the_classroom_replace_those_of_the_author(school: School, teacher: Person) -> None:
    assert get_assignment_limits(school.database, teacher.id, CLASSROOM, "first") == AssignmentLimits(
        AUTHOR, RequestedLimits()
    )
    assert limits_of_next_job(school, teacher) == AUTHOR
    assert set_limit_overrides(school.database, teacher.id, CLASSROOM, "first", OVERRIDES) == AssignmentLimits(
        AUTHOR, OVERRIDES
    )
    assert (
        get_assignment_limits(school.database, teacher.id, CLASSROOM, "first").requested_limits
        == limits_of_next_job(school, teacher)
        == COMBINED
    )
    assert get_assignment_limits(school.database, teacher.id, CLASSROOM, "second").classroom == RequestedLimits()
    set_limit_overrides(school.database, teacher.id, CLASSROOM, "first", RequestedLimits())
    assert limits_of_next_job(school, teacher) == AUTHOR


def test_limits_of_the_classroom_outlive_a_new_course_version(school: School, teacher: Person) -> None:
    set_limit_overrides(school.database, teacher.id, CLASSROOM, "first", OVERRIDES)
    first, second = course().lessons
    tighter = replace(course(), lessons=(replace(first, limits=RequestedLimits(cell_seconds=1.0, processes=5)), second))
    courses.save_course_version(school.database, tighter, {"first": FIRST, "second": SECOND})
    classrooms.adopt_version(school.database, CLASSROOM, "course")
    assert limits_of_next_job(school, teacher) == replace(COMBINED, processes=5)


def test_submission_graded_within_other_limits_can_be_regraded(school: School, teacher: Person) -> None:
    school.submit(school.add_member(), a=Outcome.TIMED_OUT)
    arguments = (school.database, teacher.id, CLASSROOM, "first")
    assert enqueue_regrades(*arguments) == RegradeSummary(queued_count=0, skipped_count=1)
    set_limit_overrides(school.database, teacher.id, CLASSROOM, "first", OVERRIDES)
    assert enqueue_regrades(*arguments) == RegradeSummary(queued_count=1, skipped_count=0)
    assert enqueue_regrades(*arguments) == RegradeSummary(queued_count=0, skipped_count=1)
    job = school.claim()
    assert job.is_regrade and job.requested_limits == COMBINED
    school.send(school.add_member("late"), SubmissionKind.FINAL)
    school.grade_next(a=Outcome.PASSED)
    assert enqueue_regrades(*arguments) == RegradeSummary(queued_count=0, skipped_count=2)


@pytest.mark.parametrize(("classroom", "lesson"), [(CLASSROOM, "third"), ("elsewhere", "first")])
def test_unknown_classroom_or_lesson_is_not_found(school: School, teacher: Person, classroom: str, lesson: str) -> None:
    with pytest.raises(NotFound):
        get_assignment_limits(school.database, teacher.id, classroom, lesson)
    with pytest.raises(NotFound):
        set_limit_overrides(school.database, teacher.id, classroom, lesson, OVERRIDES)
