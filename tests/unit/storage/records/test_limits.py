"""Limits of an assignment: the classroom's go before the author's, outlive a new version, and tell one grading from another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.records import classrooms, courses, jobs
from pmh_jupyter.storage.records.assignment_limits import AssignmentLimits, get_assignment_limits, set_limit_overrides
from pmh_jupyter.storage.records.regrades import RegradeSummary, enqueue_regrades
from tests.support.storage.school import FIRST, ROOM, SECOND, School, course

AUTHOR = RequestedLimits(cell_seconds=3.0, processes=7)
OWN = RequestedLimits(cell_seconds=9.5, memory_bytes=6 << 30)
BOTH = RequestedLimits(cell_seconds=9.5, memory_bytes=6 << 30, processes=7)


@pytest.fixture
def teacher(school: School) -> Person:
    return school.member("teacher", Role.INSTRUCTOR)


def graded_within(school: School, person: Person) -> RequestedLimits:
    """What the next grading may use."""
    school.send(person)
    job = jobs.claim_next_job(school.database, "worker")
    assert job
    return job.limits


def test_the_classrooms_go_before_the_authors(school: School, teacher: Person) -> None:
    assert get_assignment_limits(school.database, teacher.id, ROOM, "first") == AssignmentLimits(
        AUTHOR, RequestedLimits()
    )
    assert graded_within(school, teacher) == AUTHOR
    assert set_limit_overrides(school.database, teacher.id, ROOM, "first", OWN) == AssignmentLimits(AUTHOR, OWN)
    assert (
        get_assignment_limits(school.database, teacher.id, ROOM, "first").combined
        == graded_within(school, teacher)
        == BOTH
    )
    assert get_assignment_limits(school.database, teacher.id, ROOM, "second").classroom == RequestedLimits()
    set_limit_overrides(school.database, teacher.id, ROOM, "first", RequestedLimits())
    assert graded_within(school, teacher) == AUTHOR


def test_a_new_version_leaves_them_alone(school: School, teacher: Person) -> None:
    set_limit_overrides(school.database, teacher.id, ROOM, "first", OWN)
    first, second = course().lessons
    tighter = replace(course(), lessons=(replace(first, limits=RequestedLimits(cell_seconds=1.0, processes=5)), second))
    courses.save_course_version(school.database, tighter, {"first": FIRST, "second": SECOND})
    classrooms.adopt_version(school.database, ROOM, "course")
    assert graded_within(school, teacher) == replace(BOTH, processes=5)


def test_what_was_graded_within_other_limits_can_be_graded_again(school: School, teacher: Person) -> None:
    school.submit(school.member(), a=Outcome.TIMED_OUT)
    ask = (school.database, teacher.id, ROOM, "first")
    assert enqueue_regrades(*ask) == RegradeSummary(queued_count=0, already_graded_count=1)
    set_limit_overrides(school.database, teacher.id, ROOM, "first", OWN)
    assert enqueue_regrades(*ask) == RegradeSummary(queued_count=1, already_graded_count=0)
    assert enqueue_regrades(*ask) == RegradeSummary(queued_count=0, already_graded_count=1)
    job = jobs.claim_next_job(school.database, "worker")
    assert job and job.is_regrade and job.limits == BOTH
    school.send(school.member("late"), SubmissionKind.FINAL)
    school.grade(a=Outcome.PASSED)
    assert enqueue_regrades(*ask) == RegradeSummary(queued_count=0, already_graded_count=2)


@pytest.mark.parametrize(("classroom", "lesson"), [(ROOM, "third"), ("elsewhere", "first")])
def test_what_is_not_there(school: School, teacher: Person, classroom: str, lesson: str) -> None:
    with pytest.raises(NotFound):
        get_assignment_limits(school.database, teacher.id, classroom, lesson)
    with pytest.raises(NotFound):
        set_limit_overrides(school.database, teacher.id, classroom, lesson, OWN)
