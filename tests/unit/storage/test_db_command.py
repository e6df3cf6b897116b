"""The `pmh db` commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pmh_jupyter.cli import main as pmh
from pmh_jupyter.domain.people import Person
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import people
from tests.support.storage.school import School


@pytest.fixture
def run(empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setenv("PMH_DATABASE_URL", empty_url)
    monkeypatch.setenv("PMH_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("pmh_jupyter.cli.COMMAND_MODULES", ("db",))
    return lambda *arguments: pmh(list(arguments))


def test_check_fails_until_the_schema_is_upgraded(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("db", "check") == 2
    assert "pmh db upgrade" in capsys.readouterr().err
    assert run("db", "upgrade") == 0
    assert run("db", "upgrade") == 0
    assert run("db", "check") == 0
    assert capsys.readouterr().out == "The database has the schema of this version.\n" * 3


def test_upgrade_prints_the_path_of_the_backup(
    run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pmh_jupyter.storage.database.Database.upgrade", lambda *_: tmp_path / "copy.sqlite")
    assert run("db", "upgrade") == 0
    assert f"Backed up to {tmp_path / 'copy.sqlite'}." in capsys.readouterr().out


@pytest.fixture
def rename(school: School, url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], int]:
    """Run `pmh db rename-person` on a database in which "ada" has a final submission."""
    school.submit(school.add_member("ada"))
    monkeypatch.setenv("PMH_DATABASE_URL", url)
    monkeypatch.setattr("pmh_jupyter.cli.COMMAND_MODULES", ("db",))
    return lambda old, new: pmh(["db", "rename-person", old, new])


def test_renamed_person_keeps_id_and_data(
    rename: Callable[[str, str], int], database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    before = people.find_person(database, "ada")
    assert rename("ada", "Ada.Lovelace") == 0
    after = people.find_or_create_person(database, "Ada.Lovelace")
    assert before and after.id == before.id
    assert people.find_person(database, "ada") is None
    assert capsys.readouterr().out.startswith("Renamed ada to Ada.Lovelace.")


def test_advice_helps_if_the_person_has_logged_in_under_the_new_name(
    rename: Callable[[str, str], int], database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both commands of the printed advice succeed."""
    before = people.find_or_create_person(database, "ada")
    people.find_or_create_person(database, "countess")
    assert rename("ada", "countess") == 2
    assert "`pmh db rename-person countess countess-unused`" in capsys.readouterr().err
    assert rename("countess", "countess-unused") == 0
    assert rename("ada", "countess") == 0
    assert people.find_person(database, "countess") == Person(before.id, "countess")


@pytest.mark.parametrize(
    ("old", "new", "message"), [("nobody", "ada2", "There is no person 'nobody'"), ("ada", " ", "empty")]
)
def test_unknown_or_empty_name_is_rejected(
    rename: Callable[[str, str], int], capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    assert rename(old, new) == 2
    assert message in capsys.readouterr().err


def test_rename_is_refused_while_a_service_uses_the_sqlite_file(
    rename: Callable[[str, str], int], database: Database, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A SQLite file can be used by one process only, PostgreSQL by several."""
    with Database(url).open():
        code = rename("ada", "ada2")
    assert code == (2 if database.sqlite_path else 0)
    assert (people.find_person(database, "ada2") is None) == bool(database.sqlite_path)
