"""Courses into the database, and what a hub has from its first start: the starter course, a demo classroom, codes to join it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter import __version__
from pmh_jupyter.authoring.course import read_course, read_folder
from pmh_jupyter.authoring.judged import judge_release
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.authoring.validation import in_lesson
from pmh_jupyter.config import Settings
from pmh_jupyter.domain.course import Course, File, Release
from pmh_jupyter.domain.ids import content_hash
from pmh_jupyter.domain.judging import Judging
from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.versions import CourseVersion
from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.grading.walls import Wall
from pmh_jupyter.places import starter_courses
from pmh_jupyter.service.keys import load_or_make
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses, members, people
from pmh_jupyter.storage.records.judgings import save_judging

DEMO = "demo"
DEMO_TITLE = "Demo classroom"
STARTER = "python-mastery"
# Read aloud and typed by hand: no 0, O, 1, I, L.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Prepared:
    """What a first start made or found: the join codes of the demo classroom by role."""

    join_codes: Mapping[Role, str]


@dataclass(frozen=True)
class Made:
    """A course's releases by lesson slug, and how those that were tried are judged, by release id. Nothing of it is saved yet."""

    course: Course
    releases: Mapping[str, Release]
    judgings: Mapping[str, Judging]


def load_course(database: Database, files: tuple[File, ...], adopt: Iterable[str] = ()) -> CourseVersion:
    """Reads, releases and saves a course, then has the classrooms (slugs) in `adopt` take the new version.

    Loading what is there already changes nothing. Raises InvalidCourse with every problem, NotFound for a classroom that is not there.
    """
    return save_course(database, make_releases(files, None), adopt)


def make_releases(files: tuple[File, ...], wall: Wall | None) -> Made:
    """Reads and releases a course, and where there is a wall finds out how each release is judged.

    Raises InvalidCourse with the problems of all lessons at once; hidden tests that would not be hidden are among them.
    """
    course = read_course(files)
    releases: dict[str, Release] = {}
    judgings: dict[str, Judging] = {}
    problems: list[Problem] = []
    for lesson in course.lessons:
        try:
            release = releases[lesson.slug] = release_lesson(lesson, wall)
        except InvalidCourse as error:
            problems += (in_lesson(lesson, one) for one in error.problems)
            continue
        if wall is not None:
            judged = judge_release(lesson, release, wall)
            problems += judged.problems
            judgings[release.id] = judged.judging
    if problems:
        raise InvalidCourse(f"The course {course.slug} cannot be released.", problems=tuple(problems))
    return Made(course, releases, judgings)


def save_course(database: Database, made: Made, adopt: Iterable[str] = ()) -> CourseVersion:
    """Saves what was made, then has the classrooms (slugs) in `adopt` take the new version."""
    version = courses.save_course_version(database, made.course, made.releases)
    for release, judging in made.judgings.items():
        save_judging(database, release, judging)
    for classroom in adopt:
        classrooms.adopt(database, classroom, made.course.slug, version.number)
    return version


def ensure_classroom(
    database: Database, slug: str, title: str, zone: str, course: str, join_codes: Mapping[Role, str]
) -> None:
    """Makes a classroom with its join codes where there is none; one that is there is left as it is."""
    classrooms.ensure_classroom(database, slug, title, zone, course)
    for role, code in join_codes.items():
        members.add_join_code(database, slug, role, code)


def add_member(database: Database, name: str, classroom: str, role: Role) -> Membership:
    """Makes the person of a Hub name a member with at least this role; whoever has a higher one keeps it."""
    person = people.find_or_create(database, name)
    for known in members.memberships(database, person.id):
        if known.classroom.slug == classroom and known.role.rank >= role.rank:
            return known
    return members.set_member(database, person.id, classroom, role)


def prepare(settings: Settings) -> Prepared:
    """What `pmh up` does before it starts anything: migrates, loads the starter course, makes the demo classroom and its admin.

    Idempotent, and quick when nothing changed. Raises Conflict while a service is using the same SQLite file.
    """
    secret = load_or_make(settings.data / "keys" / "join-codes", lambda: secrets.token_hex(32).encode())
    codes = {role: _join_code(secret, DEMO, role) for role in (Role.STUDENT, Role.INSTRUCTOR)}
    with Database(settings.database).open() as database:
        database.upgrade(settings.data / "backups")
        files = read_folder(starter_courses() / STARTER)
        done = settings.data / "starter-course"
        if not _is_loaded(database, done, files):
            load_course(database, files)
            _adopt_in_demo(database)
        ensure_classroom(database, DEMO, DEMO_TITLE, "UTC", STARTER, codes)
        add_member(database, settings.admin, DEMO, Role.INSTRUCTOR)
        done.write_text(_mark(database, files))
    return Prepared(codes)


def _adopt_in_demo(database: Database) -> None:
    if any(room.slug == DEMO for room in classrooms.classrooms(database)):
        classrooms.adopt(database, DEMO, STARTER)


def _is_loaded(database: Database, done: Path, files: tuple[File, ...]) -> bool:
    """True if these very files were loaded by this very version into this very database, and are still in use."""
    try:
        same = done.read_text() == _mark(database, files)
    except FileNotFoundError:
        return False
    return same and any(room.slug == DEMO for room in classrooms.classrooms(database))


def _mark(database: Database, files: tuple[File, ...]) -> str:
    where = hashlib.sha256(database.url.render_as_string(hide_password=True).encode()).hexdigest()
    return f"{__version__} {content_hash(files)} {where}\n"


def _join_code(secret: bytes, classroom: str, role: Role) -> str:
    """A code that is the same at every start of this hub, and cannot be guessed from outside."""
    number = int.from_bytes(hmac.digest(secret, f"{classroom}:{role.value}".encode(), "sha256"), "big")
    letters = ""
    for _ in range(8):
        number, remainder = divmod(number, len(_LETTERS))
        letters += _LETTERS[remainder]
    return f"{letters[:4]}-{letters[4:]}"
