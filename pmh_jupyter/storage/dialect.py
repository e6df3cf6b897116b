"""Differences between SQLite and PostgreSQL: engines, the start of a transaction, insert without overwriting."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from pmh_jupyter.errors import BadInput
from pmh_jupyter.storage.columns import Base

SCHEMA_NAME = "pmh"
LOCK_TIMEOUT_SECONDS = 15.0
WAL_RETRY_SECONDS = 0.02


def make_engine(url: URL) -> Engine:
    """Create the engine for a URL. Raises BadInput for a database that is neither SQLite nor PostgreSQL."""
    if url.get_backend_name() == "sqlite":
        return _create_sqlite_engine(url)
    if url.get_backend_name() == "postgresql":
        return _create_postgresql_engine(url)
    raise BadInput(
        f"PMH_DATABASE_URL names a {url.get_backend_name()} database.",
        advice="Use sqlite:///path or postgresql+psycopg://user:password@host/database.",
    )


def _create_sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": LOCK_TIMEOUT_SECONDS}, json_serializer=_to_json)

    @event.listens_for(engine, "connect")
    def configure_connection(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # begin_transaction sends BEGIN
        _enable_wal(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        # A transaction that upgrades from reading to writing fails instead of waiting, so it takes the write lock at its start.
        may_write = not connection.get_execution_options().get("pmh_read_only")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if may_write else "BEGIN")

    return engine


def _enable_wal(connection: sqlite3.Connection) -> None:
    """Switch a SQLite file to write-ahead logging, which is a permanent property of the file. Raises OperationalError if it stays locked.

    Only the first connection to a new file changes anything. If two processes open a new file at the same time, SQLite rejects one of them
    without waiting for its timeout, so the switch is retried here.
    """
    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(WAL_RETRY_SECONDS)


def _create_postgresql_engine(url: URL) -> Engine:
    options = f"-c search_path={SCHEMA_NAME} -c timezone=UTC -c lock_timeout={LOCK_TIMEOUT_SECONDS:.0f}s"
    return create_engine(
        url,
        connect_args={"options": options, "connect_timeout": 10},
        pool_pre_ping=True,
        json_serializer=_to_json,
    )


def _to_json(value: Any) -> str:
    """Return JSON that both databases accept. PostgreSQL rejects NUL and lone surrogates, which students' values may contain."""
    return json.dumps(_replace_unstorable_characters(value))


def _replace_unstorable_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {
            _replace_unstorable_characters(key): _replace_unstorable_characters(item) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_replace_unstorable_characters(item) for item in value]
    return value


def make_read_only_engine(engine: Engine) -> Engine:
    """Return a variant of the engine for read-only transactions, in which all queries see the same snapshot."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(pmh_read_only=True)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@contextmanager
def begin_migration(connection: Connection) -> Iterator[None]:
    """Run a migration in one transaction.

    SQLite changes a table by copying it and dropping the old one, which would violate foreign keys. So enforcement is suspended
    (before the transaction: the pragma has no effect within one), and all foreign keys are checked before the commit. Raises
    RuntimeError if one is violated.
    """
    if connection.dialect.name != "sqlite":
        with connection.begin():
            yield
        return
    sqlite_connection = connection.connection.driver_connection
    assert isinstance(sqlite_connection, sqlite3.Connection)
    sqlite_connection.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():
            yield
            violations = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if violations:
                raise RuntimeError(
                    f"the migration would leave {len(violations)} rows with a reference to a missing row"
                )
    finally:
        sqlite_connection.execute("PRAGMA foreign_keys=ON")


def insert_if_absent(session: Session, table: type[Base], **values: Any) -> bool:
    """Insert a row unless one with the same key exists. Return whether it was inserted.

    Waits for the end of another transaction that is inserting the same key.
    """
    dialect_module = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect_module.insert(table).values(**values).on_conflict_do_nothing().returning(literal(1))
    return session.connection().execute(statement).first() is not None
