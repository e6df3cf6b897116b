"""The first and every later start of a hub: starter course, demo classroom, join codes and instructor."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmh_jupyter.authoring.course import read_course
from pmh_jupyter.config import Settings
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.errors import Conflict, InvalidCourse, NotFound
from pmh_jupyter.service import bootstrap
from pmh_jupyter.service.bootstrap import DEMO_CLASSROOM, STARTER_COURSE, add_member, bootstrap_database
from pmh_jupyter.service.course_releases import build_releases, release_without_sandbox, save_course
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import courses, members, people
from tests.support import tiny_course


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=str(tmp_path / "data"), admin="chief")


def test_first_start_creates_the_demo_classroom(settings: Settings) -> None:
    join_codes = bootstrap_database(settings)
    assert set(join_codes) == {Role.STUDENT, Role.INSTRUCTOR}
    with Database(settings.resolved_database_url) as database:
        (membership,) = members.list_memberships(database, people.find_or_create_person(database, "chief").id)
        assert (membership.classroom.slug, membership.classroom.course, membership.role) == (
            DEMO_CLASSROOM,
            STARTER_COURSE,
            Role.INSTRUCTOR,
        )
        eve = people.find_or_create_person(database, "eve")
        assert members.redeem_join_code(database, eve.id, join_codes[Role.STUDENT]).role is Role.STUDENT
        assert courses.find_newest_version_number(database, STARTER_COURSE) == 1


def test_second_start_keeps_the_join_codes_and_releases_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bootstrap_database(settings)

    def fail(*_arguments: object) -> None:
        raise AssertionError("an unchanged course is not released again")

    monkeypatch.setattr(bootstrap, "release_without_sandbox", fail)
    assert bootstrap_database(settings) == first


def test_hubs_have_different_join_codes(settings: Settings, tmp_path: Path) -> None:
    other = Settings(data_dir=str(tmp_path / "other"))
    codes, other_codes = (set(bootstrap_database(each).values()) for each in (settings, other))
    assert len(codes) == len(other_codes) == 2
    assert not codes & other_codes


def test_bootstrap_is_refused_while_a_service_uses_the_database(settings: Settings) -> None:
    bootstrap_database(settings)
    with Database(settings.resolved_database_url).open(), pytest.raises(Conflict, match="already using"):
        bootstrap_database(settings)


def test_add_member_never_lowers_a_role(settings: Settings) -> None:
    bootstrap_database(settings)
    with Database(settings.resolved_database_url) as database:
        assert add_member(database, "chief", DEMO_CLASSROOM, Role.STUDENT).role is Role.INSTRUCTOR
        assert add_member(database, "chief", DEMO_CLASSROOM, Role.ADMIN).role is Role.ADMIN
        with pytest.raises(NotFound):
            add_member(database, "chief", "nowhere", Role.STUDENT)


def test_unchanged_course_keeps_its_version_number(settings: Settings) -> None:
    with Database(settings.resolved_database_url).open() as database:
        database.upgrade(settings.data_path / "backups")
        first = release_without_sandbox(database, tiny_course.course_files())
        assert release_without_sandbox(database, tiny_course.course_files()).number == first.number


def test_invalid_course_and_unknown_classroom_are_rejected(settings: Settings) -> None:
    with Database(settings.resolved_database_url).open() as database:
        database.upgrade(settings.data_path / "backups")
        with pytest.raises(InvalidCourse) as caught:
            release_without_sandbox(database, tiny_course.course_files()[:1])
        assert caught.value.problems
        with pytest.raises(NotFound):
            save_course(database, build_releases(read_course(tiny_course.course_files()), None), ["nowhere"])
