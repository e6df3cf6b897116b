"""The first administrator's account, and passwords that are reset from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmh_jupyter.cli import main
from pmh_jupyter.errors import NotFound
from pmh_jupyter.hub.accounts.first_admin import AdminPassword, ensure_admin, reset_password
from pmh_jupyter.hub.accounts.store import AccountStore, PasswordMatch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.sqlite"


def test_first_administrator_is_created_once(path: Path) -> None:
    first = ensure_admin(path, "Admin")
    assert first.one_time_password and not first.is_chosen
    assert ensure_admin(path, "admin") == AdminPassword(None, is_chosen=False)
    assert AccountStore(path).check_password("admin", first.one_time_password) is PasswordMatch.ONE_TIME


def test_chosen_password_of_the_administrator_is_noticed(path: Path) -> None:
    ensure_admin(path, "admin")
    AccountStore(path).set_password("admin", "correct horse battery")
    assert ensure_admin(path, "admin") == AdminPassword(None, is_chosen=True)


def test_command_resets_a_password(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    AccountStore(path).set_password("ada", "correct horse battery")
    monkeypatch.setenv("PMH_DATA_DIR", str(path.parent))
    assert main(["accounts", "reset-password", "Ada"]) == 0
    password = capsys.readouterr().out.split()[-1]
    assert AccountStore(path).check_password("ada", password) is PasswordMatch.ONE_TIME


def test_reset_of_an_unknown_or_retired_name_is_refused(path: Path) -> None:
    with pytest.raises(NotFound, match="missing"):
        reset_password(path, "ada")
    assert not path.exists()
    AccountStore(path).set_password("ada", "correct horse battery")
    AccountStore(path).retire("ada")
    for name in ("ada", "bob"):
        with pytest.raises(NotFound, match=name):
            reset_password(path, name)
    assert AccountStore(path).list_accounts() == []
