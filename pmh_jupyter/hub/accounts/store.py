"""The account store: names and argon2 hashes in a separate SQLite file that only the hub can read.

Methods are synchronous, with one transaction each. Call them in a small thread pool, never in the event loop: hashing deliberately takes
about 50 ms and 64 MiB.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from pmh_jupyter.errors import Conflict, SchemaTooNew

SCHEMA_VERSION = 1
SCHEMA = """
create table account (
  name       text primary key,
  hash       text not null,
  state      text not null check (state in ('signing-up', 'active', 'one-time', 'retired')),
  changed_at text not null
) strict
"""
RESERVATION_MINUTES = 10
PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without characters that look alike


class PasswordMatch(Enum):
    """The result of checking a password. ONE_TIME: the password is right, and its owner may only choose a new one."""

    NO = "no"
    YES = "yes"
    ONE_TIME = "one-time"


def generate_password() -> str:
    """Return a one-time password that is easy to read out and type: four groups of five characters, 98 bits."""
    return "-".join("".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(5)) for _ in range(4))


class Account(NamedTuple):
    """An account that somebody can log in to. has_one_time_password: its owner has not chosen a password yet."""

    name: str
    has_one_time_password: bool


class AccountStore:
    """The accounts in one file. A missing file is created, with permissions for its owner only."""

    def __init__(self, path: Path, hasher: PasswordHasher | None = None) -> None:
        self._path = path
        self._hasher = hasher or PasswordHasher()
        self._dummy_hash = self._hasher.hash(secrets.token_hex())
        self._create_schema()

    def check_password(self, name: str, password: str) -> PasswordMatch:
        """Check a password. Unknown names take as long to reject as wrong passwords, so that nobody can find out who has an account."""
        with self._begin_transaction() as database:
            row = database.execute("select hash, state from account where name = ?", [name]).fetchone()
        hash_, state = row or (self._dummy_hash, "signing-up")
        if not self._verify(hash_, password) or state not in ("active", "one-time"):
            return PasswordMatch.NO
        if self._hasher.check_needs_rehash(hash_):
            self._save_account(name, password, state)
        return PasswordMatch.ONE_TIME if state == "one-time" else PasswordMatch.YES

    def reserve_name(self, name: str, password: str) -> None:
        """Reserve a name for a sign-up. Nobody can log in with it before `activate`. Raises Conflict if it is taken."""
        expired_before = _format_current_time(-timedelta(minutes=RESERVATION_MINUTES))
        hash_ = self._hasher.hash(password)
        with self._begin_transaction() as database:
            database.execute(
                "delete from account where name = ? and state = 'signing-up' and changed_at < ?", [name, expired_before]
            )
            try:
                database.execute(
                    "insert into account values (?, ?, 'signing-up', ?)", [name, hash_, _format_current_time()]
                )
            except sqlite3.IntegrityError as error:
                raise Conflict("This username is taken. Choose another.", advice="Choose another username.") from error

    def activate(self, name: str) -> None:
        """Turn a reserved name into an account."""
        with self._begin_transaction() as database:
            database.execute("update account set state = 'active' where name = ? and state = 'signing-up'", [name])

    def release_name(self, name: str) -> None:
        """Release a reserved name after a failed sign-up. Existing accounts are not changed."""
        with self._begin_transaction() as database:
            database.execute("delete from account where name = ? and state = 'signing-up'", [name])

    def set_password(self, name: str, password: str) -> None:
        """Set the password that the account's owner has chosen."""
        self._save_account(name, password, "active")

    def reset_password(self, name: str) -> str:
        """Set and return a one-time password, and create the account if it is missing. Only its hash is stored."""
        password = generate_password()
        self._save_account(name, password, "one-time")
        return password

    def retire(self, name: str) -> None:
        """Close an account permanently. Its name stays taken."""
        self._save_account(name, secrets.token_hex(), "retired")

    def list_accounts(self) -> list[Account]:
        """Return all accounts, sorted by name."""
        with self._begin_transaction() as database:
            rows = database.execute(
                "select name, state from account where state in ('active', 'one-time') order by name"
            ).fetchall()
        return [Account(name, state == "one-time") for name, state in rows]

    def is_taken(self, name: str) -> bool:
        """Return whether an account, a reservation or a retired account has this name."""
        with self._begin_transaction() as database:
            return database.execute("select 1 from account where name = ?", [name]).fetchone() is not None

    def _verify(self, hash_: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash_, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    def _save_account(self, name: str, password: str, state: str) -> None:
        hash_ = self._hasher.hash(password)
        with self._begin_transaction() as database:
            database.execute(
                "insert into account values (?, ?, ?, ?) on conflict (name) do update "
                "set hash = excluded.hash, state = excluded.state, changed_at = excluded.changed_at",
                [name, hash_, state, _format_current_time()],
            )

    def _create_schema(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        self._path.chmod(0o600)
        with self._begin_transaction() as database:
            version = database.execute("pragma user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise SchemaTooNew(f"{self._path} was written by a newer version of pmh-jupyter.")
            if version == 0:
                database.execute(SCHEMA)
                database.execute(f"pragma user_version = {SCHEMA_VERSION}")

    @contextmanager
    def _begin_transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as database:
            database.execute("pragma synchronous = full")
            database.execute("begin immediate")
            with database:
                yield database


def _format_current_time(offset: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + offset).isoformat(timespec="seconds")
