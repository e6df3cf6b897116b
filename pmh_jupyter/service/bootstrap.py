"""Prepares the database for a hub's first start: starter course, demo classroom, join codes, and the administrator's membership."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path

from pmh_jupyter import __version__
from pmh_jupyter.authoring.course import read_folder
from pmh_jupyter.config import Settings
from pmh_jupyter.domain.codes import encode_readable_code
from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.hashing import compute_content_hash
from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.resource_paths import find_starter_courses_folder
from pmh_jupyter.service.course_releases import release_without_sandbox
from pmh_jupyter.service.key_files import load_or_create_key
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, members, people

DEMO_CLASSROOM = "demo"
DEMO_TITLE = "Demo classroom"
STARTER_COURSE = "python-mastery"


def ensure_classroom(
    database: Database, slug: str, title: str, time_zone: str, course: str, join_codes: Mapping[Role, str]
) -> None:
    """Create a classroom unless it exists, and add its join codes. An existing classroom keeps its title, time zone and course."""
    classrooms.ensure_classroom(database, slug, title, time_zone, course)
    for role, code in join_codes.items():
        members.add_join_code(database, slug, role, code)


def add_member(database: Database, name: str, classroom: str, role: Role) -> Membership:
    """Give a Hub user at least this role in a classroom; never lowers a role. Raises NotFound for an unknown classroom."""
    person = people.find_or_create_person(database, name)
    for membership in members.list_memberships(database, person.id):
        if membership.classroom.slug == classroom and membership.role.rank >= role.rank:
            return membership
    return members.set_member_role(database, person.id, classroom, role)


def bootstrap_database(settings: Settings) -> Mapping[str, str]:
    """Migrate the database, load the starter course, and create the demo classroom with the administrator as instructor.

    Returns the join codes of the demo classroom by role. `pmh up` calls this before it starts any process. Idempotent, and fast if
    nothing has changed. Raises Conflict while a service is using the same SQLite file.
    """
    secret = load_or_create_key(settings.data_path / "keys" / "join-codes", lambda: secrets.token_hex(32).encode())
    join_codes = {role: _derive_join_code(secret, DEMO_CLASSROOM, role) for role in (Role.STUDENT, Role.INSTRUCTOR)}
    with Database(settings.resolved_database_url).open() as database:
        database.upgrade(settings.data_path / "backups")
        files = read_folder(find_starter_courses_folder() / STARTER_COURSE)
        marker_path = settings.data_path / "starter-course"
        if not _is_loaded(database, marker_path, files):
            release_without_sandbox(database, files)
            _adopt_in_demo_classroom(database)
        ensure_classroom(database, DEMO_CLASSROOM, DEMO_TITLE, "UTC", STARTER_COURSE, join_codes)
        add_member(database, settings.admin, DEMO_CLASSROOM, Role.INSTRUCTOR)
        marker_path.write_text(_make_marker_text(database, files))
    return {role.value: code for role, code in join_codes.items()}


def _adopt_in_demo_classroom(database: Database) -> None:
    if _has_demo_classroom(database):
        classrooms.adopt_version(database, DEMO_CLASSROOM, STARTER_COURSE)


def _has_demo_classroom(database: Database) -> bool:
    return any(classroom.slug == DEMO_CLASSROOM for classroom in classrooms.list_classrooms(database))


def _is_loaded(database: Database, marker_path: Path, files: tuple[File, ...]) -> bool:
    """Return whether this version of the package has loaded the same files into the same database, and the demo classroom still exists."""
    try:
        is_same = marker_path.read_text() == _make_marker_text(database, files)
    except FileNotFoundError:
        return False
    return is_same and _has_demo_classroom(database)


def _make_marker_text(database: Database, files: tuple[File, ...]) -> str:
    database_hash = hashlib.sha256(database.url.render_as_string(hide_password=True).encode()).hexdigest()
    return f"{__version__} {compute_content_hash(files)} {database_hash}\n"


def _derive_join_code(secret: bytes, classroom: str, role: Role) -> str:
    """Derive a join code from the hub's secret: the same at every start, and not guessable without the secret."""
    return encode_readable_code(hmac.digest(secret, f"{classroom}:{role.value}".encode(), "sha256"))
