"""What SQLite and PostgreSQL say differently: engines, the start of a transaction, insert-or-leave."""

from __future__ import annotations

import json
import sqlite3
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


def make_engine(url: URL) -> Engine:
    """The engine for a URL, with connections set up; raises BadInput for another database than the two we know."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    if url.get_backend_name() == "postgresql":
        return _postgresql_engine(url)
    raise BadInput(
        f"PMH_DATABASE_URL names a {url.get_backend_name()} database.",
        advice="Use sqlite:///path or postgresql+psycopg://user:password@host/database.",
    )


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": LOCK_TIMEOUT_SECONDS}, json_serializer=_to_json)

    @event.listens_for(engine, "connect")
    def configure_connection(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see begin()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        # A transaction that reads first and then writes cannot wait for another writer; so one that may write asks at once.
        may_write = not connection.get_execution_options().get("pmh_reads")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if may_write else "BEGIN")

    return engine


def _postgresql_engine(url: URL) -> Engine:
    options = f"-c search_path={SCHEMA_NAME} -c timezone=UTC -c lock_timeout={LOCK_TIMEOUT_SECONDS:.0f}s"
    return create_engine(
        url,
        connect_args={"options": options, "connect_timeout": 10},
        pool_pre_ping=True,
        json_serializer=_to_json,
    )


def _to_json(value: Any) -> str:
    """JSON that both databases take. PostgreSQL refuses NUL and lone surrogates, which a student's value may well hold."""
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
    """The same engine for transactions that only read: one snapshot over all of their questions."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(pmh_reads=True)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@contextmanager
def migration_transaction(connection: Connection) -> Iterator[None]:
    """One transaction for a migration.

    SQLite changes a table by copying it and dropping the old one, at which foreign keys would take offence: they rest meanwhile
    (the pragma does nothing inside a transaction, so that it comes before), and are all checked before the commit.
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
                raise RuntimeError(f"the migration would leave {len(violations)} rows that refer to nothing")
    finally:
        sqlite_connection.execute("PRAGMA foreign_keys=ON")


def insert_if_absent(session: Session, table: type[Base], **values: Any) -> bool:
    """Inserts a row unless one with the same key is there; True if it was inserted. Waits for whoever is inserting the same."""
    dialect_module = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect_module.insert(table).values(**values).on_conflict_do_nothing().returning(literal(1))
    return session.connection().execute(statement).first() is not None
