"""A small school for storage tests: a clock that is moved by hand, a course of two lessons, and people who do things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pmh_jupyter.domain.course import Achievement, Course, Exercise, File, Lesson, Release
from pmh_jupyter.domain.hashing import compute_content_hash
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.submission import NewSubmission, Submission, SubmissionKind
from pmh_jupyter.domain.verdict import ExerciseVerdict, Grading, Outcome
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses, jobs, members, people, submissions

ROOM = "room"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class MovedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: datetime = NOON) -> None:
        self.time = start

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


def exercise(grade_id: str, *, manual: bool = False) -> Exercise:
    return Exercise(
        grade_id=grade_id,
        title=f"Exercise {grade_id}",
        notebook="lesson.ipynb",
        max_millipoints=2000,
        solution_cells=(grade_id,),
        test_cells=(f"test-{grade_id}",),
        is_manually_graded=manual,
        hints=("Think.",),
    )


def release(lesson: str, *exercises: Exercise, text: bytes = b"{}") -> Release:
    """A release of a lesson; `text` is its student notebook, and tells one release from another."""
    student = (File("lesson.ipynb", text), File("data.csv", b"1,2\n"))
    sealed = (File("lesson.md", b"sealed " + text),)
    number = compute_content_hash((File(lesson, b""), *student, *sealed))
    return Release(number, lesson, f"Lesson {lesson}", exercises, student, sealed)


FIRST = release("first", exercise("a"), exercise("b"))
SECOND = release("second", exercise("c"), exercise("essay", manual=True))
ACHIEVEMENTS = (
    Achievement("first-solve", "First", "One solved.", "star", "exercises-solved", 1),
    Achievement("lesson", "Whole", "A lesson.", "book", "lesson-complete", 1, "first"),
    Achievement("streak", "Steady", "Three days.", "flame", "streak-days", 3),
)


def course(*, title: str = "Course", achievements: tuple[Achievement, ...] = ACHIEVEMENTS) -> Course:
    lessons = (
        Lesson(
            "first",
            "Lesson first",
            "Unit 1",
            (),
            limits=RequestedLimits(cell_seconds=3.0, processes=7),
            preload=("numpy",),
        ),
        Lesson("second", "Lesson second", "Unit 2", (), limits=RequestedLimits(memory_bytes=5 << 30)),
    )
    return Course("course", title, "A course.", lessons, (), achievements)


def sign(fields: Mapping[str, str]) -> dict[str, Any]:
    """A receipt, as far as storage is concerned."""
    return {**fields, "signature": "signed"}


class School:
    """A classroom with a course in it, and its people."""

    def __init__(self, database: Database, clock: MovedClock) -> None:
        self.database = database
        self.clock = clock
        courses.save_course_version(database, course(), {"first": FIRST, "second": SECOND})
        self.classroom = classrooms.ensure_classroom(database, ROOM, "Room", "Europe/Zurich", "course")

    def member(self, name: str = "student", role: Role = Role.STUDENT) -> Person:
        person = people.find_or_create(self.database, name)
        members.set_member_role(self.database, person.id, ROOM, role)
        return person

    def new(
        self, person: Person, kind: SubmissionKind = SubmissionKind.CHECK, *exercises: str, lesson: str = "first"
    ) -> NewSubmission:
        """Work as it would arrive, with an id of its own."""
        number = {"first": FIRST.id, "second": SECOND.id}[lesson]
        files = (File("lesson.ipynb", b'{"cells": []}'), File("extra.txt", b"more"))
        return NewSubmission(uuid4(), kind, person.id, ROOM, lesson, number, files, exercises)

    def send(
        self, person: Person, kind: SubmissionKind = SubmissionKind.CHECK, *exercises: str, lesson: str = "first"
    ) -> Submission:
        return submissions.receive_submission(self.database, self.new(person, kind, *exercises, lesson=lesson), sign)

    def grade(self, **outcomes: Outcome) -> Submission:
        """Grades the next job with an outcome for each exercise."""
        job = jobs.claim_next_job(self.database, "worker")
        assert job
        return jobs.complete_job(self.database, job.id, grading(**outcomes))

    def check(self, person: Person, *, lesson: str = "first", **outcomes: Outcome) -> Submission:
        """Sends a check and grades it."""
        self.send(person, SubmissionKind.CHECK, lesson=lesson)
        return self.grade(**outcomes)

    def submit(self, person: Person, *, lesson: str = "first", **outcomes: Outcome) -> Submission:
        """Hands in and grades it."""
        self.send(person, SubmissionKind.FINAL, lesson=lesson)
        return self.grade(**outcomes)


def verdict(grade_id: str, outcome: Outcome) -> ExerciseVerdict:
    return ExerciseVerdict(grade_id, outcome, 2000 if outcome is Outcome.PASSED else 0, 2000)


def grading(**outcomes: Outcome) -> Grading:
    return Grading(tuple(verdict(grade_id, outcome) for grade_id, outcome in outcomes.items()), 0.25)


def again(new: NewSubmission, **changes: Any) -> NewSubmission:
    """The same work with something changed."""
    return replace(new, **changes)


def nobody() -> UUID:
    """The id of no one."""
    return uuid4()
