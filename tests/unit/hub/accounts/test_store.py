"""The account store: log-in, reservations, one-time passwords, and the protection of its file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest
from argon2 import PasswordHasher

from pmh_jupyter.errors import Conflict, SchemaTooNew
from pmh_jupyter.hub.accounts.store import AccountStore, PasswordMatch

QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "accounts.sqlite"


@pytest.fixture
def store(path: Path) -> AccountStore:
    return AccountStore(path, QUICK)


def sign_up(store: AccountStore, name: str, password: str) -> None:
    store.reserve_name(name, password)
    store.activate(name)


def test_file_is_readable_by_its_owner_only(store: AccountStore, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_file_contains_no_password(store: AccountStore, path: Path) -> None:
    sign_up(store, "ada", "correct horse battery")
    assert b"horse" not in path.read_bytes()


def test_reserved_name_logs_in_once_activated(store: AccountStore) -> None:
    store.reserve_name("ada", "correct horse battery")
    assert store.check_password("ada", "correct horse battery") is PasswordMatch.NO
    store.activate("ada")
    assert store.check_password("ada", "correct horse battery") is PasswordMatch.YES
    assert store.check_password("ada", "another horse") is PasswordMatch.NO


def test_released_name_is_free_and_accounts_are_not_released(store: AccountStore) -> None:
    store.reserve_name("ada", "correct horse battery")
    store.release_name("ada")
    assert not store.is_taken("ada")
    sign_up(store, "ada", "somebody else's")
    store.release_name("ada")
    assert store.check_password("ada", "somebody else's") is PasswordMatch.YES, "release_name only affects reservations"


def test_reserved_name_cannot_be_reserved_again(store: AccountStore) -> None:
    store.reserve_name("ada", "correct horse battery")
    with pytest.raises(Conflict, match="taken"):
        store.reserve_name("ada", "another one here")


def test_expired_reservation_frees_the_name(store: AccountStore, path: Path) -> None:
    store.reserve_name("ada", "correct horse battery")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("update account set changed_at = '2020-01-01T00:00:00+00:00'")
    sign_up(store, "ada", "the second ada")
    assert store.check_password("ada", "the second ada") is PasswordMatch.YES


def test_reset_password_is_one_time(store: AccountStore) -> None:
    sign_up(store, "ada", "correct horse battery")
    one_time_password = store.reset_password("ada")
    assert store.check_password("ada", "correct horse battery") is PasswordMatch.NO
    assert store.check_password("ada", one_time_password) is PasswordMatch.ONE_TIME
    assert store.list_accounts() == [("ada", True)]
    store.set_password("ada", "my own again")
    assert store.check_password("ada", one_time_password) is PasswordMatch.NO
    assert store.check_password("ada", "my own again") is PasswordMatch.YES
    assert store.list_accounts() == [("ada", False)]


def test_retired_name_stays_taken(store: AccountStore) -> None:
    sign_up(store, "ada", "correct horse battery")
    store.retire("ada")
    assert store.check_password("ada", "correct horse battery") is PasswordMatch.NO
    assert store.list_accounts() == []
    with pytest.raises(Conflict):
        store.reserve_name("ada", "somebody else's")


def test_unknown_name_is_hashed_like_a_known_one(path: Path) -> None:
    verified_hashes: list[str] = []

    class RecordingHasher(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            verified_hashes.append(str(hash))
            return super().verify(hash, password)

    store = AccountStore(path, RecordingHasher(time_cost=1, memory_cost=64, parallelism=1))
    assert store.check_password("nobody-here", "correct horse battery") is PasswordMatch.NO
    assert len(verified_hashes) == 1


def test_log_in_upgrades_a_weak_hash(store: AccountStore, path: Path) -> None:
    sign_up(store, "ada", "correct horse battery")
    store_with_stronger_hasher = AccountStore(path, PasswordHasher(time_cost=2, memory_cost=128, parallelism=1))
    assert store_with_stronger_hasher.check_password("ada", "correct horse battery") is PasswordMatch.YES
    with closing(sqlite3.connect(path)) as database:
        assert "m=128,t=2" in database.execute("select hash from account").fetchone()[0]


def test_file_of_a_newer_version_is_refused(store: AccountStore, path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("pragma user_version = 99")
    with pytest.raises(SchemaTooNew, match="newer"):
        AccountStore(path, QUICK)
