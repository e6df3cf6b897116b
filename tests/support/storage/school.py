"""A small classroom for storage tests: a clock that tests move, a course of two lessons, and members who send submissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from pmh_jupyter.domain.course import Achievement, Course, Exercise, File, Lesson, Release
from pmh_jupyter.domain.hashing import compute_content_hash
from pmh_jupyter.domain.ledger import LedgerEntry, LedgerEntryKind, compute_grade
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.submission import Job, NewSubmission, Submission, SubmissionKind
from pmh_jupyter.domain.verdict import ExerciseVerdict, Grading, Outcome
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses, events, jobs, members, people, submissions
from pmh_jupyter.storage.tables.classrooms import MemberRow
from pmh_jupyter.storage.tables.results import LedgerRow
from tests.support.clock import ManualClock

CLASSROOM = "physics-1"


def exercise(grade_id: str, *, is_manually_graded: bool = False) -> Exercise:
    return Exercise(
        grade_id=grade_id,
        title=f"Exercise {grade_id}",
        notebook="lesson.ipynb",
        max_millipoints=2000,
        solution_cells=(grade_id,),
        test_cells=(f"test-{grade_id}",),
        is_manually_graded=is_manually_graded,
        hints=("Think.",),
    )


def release(lesson: str, *exercises: Exercise, text: bytes = b"{}") -> Release:
    """Return a release of a lesson. `text` is its student notebook; another text makes another release."""
    student_files = (File("lesson.ipynb", text), File("data.csv", b"1,2\n"))
    sealed_files = (File("lesson.md", b"sealed " + text),)
    release_id = compute_content_hash((File(lesson, b""), *student_files, *sealed_files))
    return Release(release_id, lesson, f"Lesson {lesson}", exercises, student_files, sealed_files)


FIRST = release("first", exercise("a"), exercise("b"))
NEWER_FIRST = release("first", exercise("a"), exercise("b"), exercise("z"), text=b"newer")
SECOND = release("second", exercise("c"), exercise("essay", is_manually_graded=True))
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
    """Make a receipt without a real signature."""
    return {**fields, "signature": "signed"}


class School:
    """A classroom that has adopted the course, and its members."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        courses.save_course_version(database, course(), {"first": FIRST, "second": SECOND})
        self.classroom = classrooms.ensure_classroom(database, CLASSROOM, "Physics", "Europe/Zurich", "course")

    def add_member(self, name: str = "student", role: Role = Role.STUDENT) -> Person:
        person = people.find_or_create_person(self.database, name)
        members.set_member_role(self.database, person.id, CLASSROOM, role)
        return person

    def new_submission(
        self, person: Person, kind: SubmissionKind = SubmissionKind.CHECK, *exercises: str, lesson: str = "first"
    ) -> NewSubmission:
        """Return a submission that has not been sent yet, with a new id."""
        release_id = {"first": FIRST.id, "second": SECOND.id}[lesson]
        files = (File("lesson.ipynb", b'{"cells": []}'), File("extra.txt", b"more"))
        return NewSubmission(uuid4(), kind, person.id, CLASSROOM, lesson, release_id, files, exercises)

    def send(
        self, person: Person, kind: SubmissionKind = SubmissionKind.CHECK, *exercises: str, lesson: str = "first"
    ) -> Submission:
        new_submission = self.new_submission(person, kind, *exercises, lesson=lesson)
        return submissions.receive_submission(self.database, new_submission, sign)

    def claim(self, worker: str = "worker") -> Job:
        """Claim the next job; there must be one."""
        job = jobs.claim_next_job(self.database, worker)
        assert job
        return job

    def grade_next(self, **outcomes: Outcome) -> Submission:
        """Claim the next job and grade it with an outcome for each exercise."""
        return jobs.complete_job(self.database, self.claim().id, grading(**outcomes))

    def check(self, person: Person, *, lesson: str = "first", **outcomes: Outcome) -> Submission:
        """Send a check and grade it."""
        self.send(person, SubmissionKind.CHECK, lesson=lesson)
        return self.grade_next(**outcomes)

    def submit(self, person: Person, *, lesson: str = "first", **outcomes: Outcome) -> Submission:
        """Send a final submission and grade it."""
        self.send(person, SubmissionKind.FINAL, lesson=lesson)
        return self.grade_next(**outcomes)


def adopt_newer_first(school: School) -> None:
    """Release another version of the first lesson, which the classroom adopts."""
    courses.save_course_version(school.database, course(), {"first": NEWER_FIRST, "second": SECOND})
    classrooms.adopt_version(school.database, CLASSROOM, "course")


def verdict(grade_id: str, outcome: Outcome) -> ExerciseVerdict:
    return ExerciseVerdict(grade_id, outcome, 2000 if outcome is Outcome.PASSED else 0, 2000)


def grading(**outcomes: Outcome) -> Grading:
    return Grading(tuple(verdict(grade_id, outcome) for grade_id, outcome in outcomes.items()), 0.25)


def latest_event_number(database: Database) -> int:
    return events.load_latest_event_numbers(database)[CLASSROOM]


def load_grades(database: Database, person: Person) -> dict[str, int | None]:
    """Return a member's grades in milli-points by grade_id, computed from the ledger."""
    with database.begin_read() as session:
        rows = session.scalars(
            select(LedgerRow)
            .join(MemberRow, MemberRow.id == LedgerRow.member_id)
            .where(MemberRow.person_id == person.id)
        )
        entries: dict[str, list[LedgerEntry]] = {}
        for row in rows:
            entry = LedgerEntry(row.number, LedgerEntryKind(row.kind), row.millipoints, row.supersedes)
            entries.setdefault(row.grade_id, []).append(entry)
    return {grade_id: compute_grade(grade_entries) for grade_id, grade_entries in entries.items()}


def unknown_id() -> UUID:
    """Return an id that belongs to nobody and nothing."""
    return uuid4()
