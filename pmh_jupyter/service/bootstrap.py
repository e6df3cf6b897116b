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
from pmh_jupyter.authoring.isolation_report import report_isolation
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.authoring.validation import prefix_with_lesson
from pmh_jupyter.config import Settings
from pmh_jupyter.domain.course import Course, File, Release
from pmh_jupyter.domain.course_versions import CourseVersion
from pmh_jupyter.domain.hashing import compute_content_hash
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.resource_paths import starter_courses_dir
from pmh_jupyter.service.key_files import load_or_create_key
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses, members, people
from pmh_jupyter.storage.records.isolation import save_isolation

DEMO_CLASSROOM = "demo"
DEMO_TITLE = "Demo classroom"
STARTER_COURSE = "python-mastery"
# Read aloud and typed by hand: no 0, O, 1, I, L.
_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class BootstrapResult:
    """What a first start made or found: the join codes of the demo classroom by role."""

    join_codes: Mapping[Role, str]


@dataclass(frozen=True)
class CourseBuild:
    """A course's releases by lesson slug, and how those that were tried are judged, by release id. Nothing of it is saved yet."""

    course: Course
    releases: Mapping[str, Release]
    isolation: Mapping[str, ReleaseIsolation]


def load_course(database: Database, files: tuple[File, ...], adopting_classrooms: Iterable[str] = ()) -> CourseVersion:
    """Reads, releases and saves a course, then has the classrooms (slugs) in `adopt` take the new version.

    Loading what is there already changes nothing. Raises InvalidCourse with every problem, NotFound for a classroom that is not there.
    """
    return save_course(database, build_releases(files, None), adopting_classrooms)


def build_releases(files: tuple[File, ...], backend: SandboxBackend | None) -> CourseBuild:
    """Reads and releases a course, and where there is a wall finds out how each release is judged.

    Raises InvalidCourse with the problems of all lessons at once; hidden tests that would not be hidden are among them.
    """
    course = read_course(files)
    releases: dict[str, Release] = {}
    isolation: dict[str, ReleaseIsolation] = {}
    problems: list[Problem] = []
    for lesson in course.lessons:
        try:
            release = releases[lesson.slug] = release_lesson(lesson, backend)
        except InvalidCourse as error:
            problems += (prefix_with_lesson(lesson, problem) for problem in error.problems)
            continue
        if backend is not None:
            report = report_isolation(lesson, release, backend)
            problems += report.problems
            isolation[release.id] = report.isolation
    if problems:
        raise InvalidCourse(f"The course {course.slug} cannot be released.", problems=tuple(problems))
    return CourseBuild(course, releases, isolation)


def save_course(database: Database, build: CourseBuild, adopting_classrooms: Iterable[str] = ()) -> CourseVersion:
    """Saves what was made, then has the classrooms (slugs) in `adopt` take the new version."""
    version = courses.save_course_version(database, build.course, build.releases)
    for release_id, isolation in build.isolation.items():
        save_isolation(database, release_id, isolation)
    for classroom in adopting_classrooms:
        classrooms.adopt_version(database, classroom, build.course.slug, version.number)
    return version


def ensure_classroom(
    database: Database, slug: str, title: str, time_zone: str, course: str, join_codes: Mapping[Role, str]
) -> None:
    """Makes a classroom with its join codes where there is none; one that is there is left as it is."""
    classrooms.ensure_classroom(database, slug, title, time_zone, course)
    for role, code in join_codes.items():
        members.add_join_code(database, slug, role, code)


def add_member(database: Database, name: str, classroom: str, role: Role) -> Membership:
    """Makes the person of a Hub name a member with at least this role; whoever has a higher one keeps it."""
    person = people.find_or_create(database, name)
    for membership in members.list_memberships(database, person.id):
        if membership.classroom.slug == classroom and membership.role.rank >= role.rank:
            return membership
    return members.set_member_role(database, person.id, classroom, role)


def bootstrap_database(settings: Settings) -> BootstrapResult:
    """What `pmh up` does before it starts anything: migrates, loads the starter course, makes the demo classroom and its admin.

    Idempotent, and quick when nothing changed. Raises Conflict while a service is using the same SQLite file.
    """
    secret = load_or_create_key(settings.data_path / "keys" / "join-codes", lambda: secrets.token_hex(32).encode())
    join_codes = {role: _derive_join_code(secret, DEMO_CLASSROOM, role) for role in (Role.STUDENT, Role.INSTRUCTOR)}
    with Database(settings.resolved_database_url).open() as database:
        database.upgrade(settings.data_path / "backups")
        files = read_folder(starter_courses_dir() / STARTER_COURSE)
        marker_path = settings.data_path / "starter-course"
        if not _is_loaded(database, marker_path, files):
            load_course(database, files)
            _adopt_in_demo(database)
        ensure_classroom(database, DEMO_CLASSROOM, DEMO_TITLE, "UTC", STARTER_COURSE, join_codes)
        add_member(database, settings.admin, DEMO_CLASSROOM, Role.INSTRUCTOR)
        marker_path.write_text(_marker_text(database, files))
    return BootstrapResult(join_codes)


def _adopt_in_demo(database: Database) -> None:
    if any(classroom.slug == DEMO_CLASSROOM for classroom in classrooms.list_classrooms(database)):
        classrooms.adopt_version(database, DEMO_CLASSROOM, STARTER_COURSE)


def _is_loaded(database: Database, marker_path: Path, files: tuple[File, ...]) -> bool:
    """True if these very files were loaded by this very version into this very database, and are still in use."""
    try:
        is_same = marker_path.read_text() == _marker_text(database, files)
    except FileNotFoundError:
        return False
    return is_same and any(classroom.slug == DEMO_CLASSROOM for classroom in classrooms.list_classrooms(database))


def _marker_text(database: Database, files: tuple[File, ...]) -> str:
    database_hash = hashlib.sha256(database.url.render_as_string(hide_password=True).encode()).hexdigest()
    return f"{__version__} {compute_content_hash(files)} {database_hash}\n"


def _derive_join_code(secret: bytes, classroom: str, role: Role) -> str:
    """A code that is the same at every start of this hub, and cannot be guessed from outside."""
    number = int.from_bytes(hmac.digest(secret, f"{classroom}:{role.value}".encode(), "sha256"), "big")
    letters = ""
    for _ in range(8):
        number, remainder = divmod(number, len(_CODE_ALPHABET))
        letters += _CODE_ALPHABET[remainder]
    return f"{letters[:4]}-{letters[4:]}"
