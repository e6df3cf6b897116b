"""A hub's first start and every later one: the starter course, the demo classroom, its codes, its instructor."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.errors import Conflict, InvalidCourse, NotFound
from pmh_jupyter.service import bootstrap
from pmh_jupyter.service.bootstrap import DEMO_CLASSROOM, STARTER_COURSE, add_member, bootstrap_database, load_course
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import courses, members, people
from tests.support import tiny_course


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=str(tmp_path / "data"), admin="chief")


def test_a_first_start_makes_everything_and_a_second_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bootstrap_database(settings)
    assert set(first.join_codes) == {Role.STUDENT, Role.INSTRUCTOR}

    def never(*_arguments: object) -> None:
        raise AssertionError("nothing changed, so nothing is released")

    monkeypatch.setattr(bootstrap, "load_course", never)
    assert bootstrap_database(settings) == first
    with Database(settings.resolved_database_url) as database:
        (chief,) = members.list_memberships(database, people.find_or_create(database, "chief").id)
        assert (chief.classroom.slug, chief.classroom.course, chief.role) == (
            DEMO_CLASSROOM,
            STARTER_COURSE,
            Role.INSTRUCTOR,
        )
        eve = people.find_or_create(database, "eve")
        assert members.redeem_join_code(database, eve.id, first.join_codes[Role.STUDENT]).role is Role.STUDENT
        assert courses.find_newest_version_number(database, STARTER_COURSE) == 1


def test_codes_are_the_hubs_own(settings: Settings, tmp_path: Path) -> None:
    other = Settings(data_dir=str(tmp_path / "other"))
    assert not set(bootstrap_database(settings).join_codes.values()) & set(
        bootstrap_database(other).join_codes.values()
    )


def test_a_running_service_is_not_disturbed(settings: Settings) -> None:
    bootstrap_database(settings)
    with Database(settings.resolved_database_url).open(), pytest.raises(Conflict, match="already using"):
        bootstrap_database(settings)


def test_a_role_is_never_taken_away(settings: Settings) -> None:
    bootstrap_database(settings)
    with Database(settings.resolved_database_url) as database:
        assert add_member(database, "chief", DEMO_CLASSROOM, Role.STUDENT).role is Role.INSTRUCTOR
        assert add_member(database, "chief", DEMO_CLASSROOM, Role.ADMIN).role is Role.ADMIN
        with pytest.raises(NotFound):
            add_member(database, "chief", "nowhere", Role.STUDENT)


def test_loading_twice_is_loading_once(settings: Settings) -> None:
    with Database(settings.resolved_database_url).open() as database:
        database.upgrade(settings.data_path / "backups")
        first = load_course(database, tiny_course.course_files())
        assert load_course(database, tiny_course.course_files()).number == first.number
        with pytest.raises(InvalidCourse) as refused:
            load_course(database, tiny_course.course_files()[:1])
        assert refused.value.problems
        with pytest.raises(NotFound):
            load_course(database, tiny_course.course_files(), ["nowhere"])
