"""The accounts file: who can log in, with what, and what nobody can read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from pmh_jupyter.errors import Conflict, SchemaTooNew
from pmh_jupyter.hub.accounts.authenticator import ensure_admin
from pmh_jupyter.hub.accounts.store import AccountStore, PasswordMatch

QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "accounts.sqlite"


@pytest.fixture
def store(path: Path) -> AccountStore:
    return AccountStore(path, QUICK)


def signed_up(store: AccountStore, name: str, password: str) -> None:
    store.reserve_name(name, password)
    store.activate(name)


def test_nobody_but_the_hub_can_read_it(store: AccountStore, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_holds_no_password(store: AccountStore, path: Path) -> None:
    signed_up(store, "ada", "correct horse battery")
    assert b"horse" not in path.read_bytes()


def test_a_sign_up_logs_in_once_it_is_finished(store: AccountStore) -> None:
    store.reserve_name("ada", "correct horse battery")
    assert store.check_password("ada", "correct horse battery") is PasswordMatch.NO
    store.activate("ada")
    assert store.check_password("ada", "correct horse battery") is PasswordMatch.YES
    assert store.check_password("ada", "another horse") is PasswordMatch.NO


def test_a_failed_sign_up_leaves_nothing(store: AccountStore) -> None:
    store.reserve_name("ada", "correct horse battery")
    store.release_name("ada")
    assert not store.is_taken("ada")
    signed_up(store, "ada", "somebody else's")
    store.release_name("ada")
    assert store.check_password("ada", "somebody else's") is PasswordMatch.YES, "an account is not given up"


def test_a_taken_name_is_refused_even_while_somebody_signs_up(store: AccountStore) -> None:
    store.reserve_name("ada", "correct horse battery")
    with pytest.raises(Conflict, match="taken"):
        store.reserve_name("ada", "another one here")


def test_a_sign_up_that_died_frees_its_name_after_a_while(store: AccountStore, path: Path) -> None:
    store.reserve_name("ada", "correct horse battery")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("update account set changed_at = '2020-01-01T00:00:00+00:00'")
    signed_up(store, "ada", "the second ada")
    assert store.check_password("ada", "the second ada") is PasswordMatch.YES


def test_a_reset_password_is_for_one_use(store: AccountStore) -> None:
    signed_up(store, "ada", "correct horse battery")
    once = store.reset_password("ada")
    assert store.check_password("ada", "correct horse battery") is PasswordMatch.NO
    assert store.check_password("ada", once) is PasswordMatch.ONE_TIME
    assert store.list_accounts() == [("ada", True)]
    store.set_password("ada", "my own again")
    assert store.check_password("ada", once) is PasswordMatch.NO
    assert store.check_password("ada", "my own again") is PasswordMatch.YES
    assert store.list_accounts() == [("ada", False)]


def test_a_retired_name_stays_taken(store: AccountStore) -> None:
    signed_up(store, "ada", "correct horse battery")
    store.retire("ada")
    assert store.check_password("ada", "correct horse battery") is PasswordMatch.NO
    assert store.list_accounts() == []
    with pytest.raises(Conflict):
        store.reserve_name("ada", "somebody else's")


def test_an_unknown_name_costs_a_hash_as_a_known_one_does(path: Path) -> None:
    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            verified.append(str(hash))
            return super().verify(hash, password)

    store = AccountStore(path, Counting(time_cost=1, memory_cost=64, parallelism=1))
    assert store.check_password("nobody-here", "correct horse battery") is PasswordMatch.NO
    assert len(verified) == 1


def test_hashes_grow_with_the_times(store: AccountStore, path: Path) -> None:
    signed_up(store, "ada", "correct horse battery")
    stronger = AccountStore(path, PasswordHasher(time_cost=2, memory_cost=128, parallelism=1))
    assert stronger.check_password("ada", "correct horse battery") is PasswordMatch.YES
    with closing(sqlite3.connect(path)) as database:
        assert "m=128,t=2" in database.execute("select hash from account").fetchone()[0]


def test_a_file_of_a_newer_version_is_left_alone(store: AccountStore, path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("pragma user_version = 99")
    with pytest.raises(SchemaTooNew, match="newer"):
        AccountStore(path, QUICK)


def test_the_first_administrator_is_made_once(path: Path) -> None:
    password = ensure_admin(path, "Admin")
    assert password and AccountStore(path).check_password("admin", password) is PasswordMatch.ONE_TIME
    assert ensure_admin(path, "admin") is None
    assert AccountStore(path).check_password("admin", password) is PasswordMatch.ONE_TIME
