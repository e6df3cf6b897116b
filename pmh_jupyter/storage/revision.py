"""Which schema a database has, which one this version wants, and the way from one to the other."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from pmh_jupyter.errors import SchemaTooNew, SchemaTooOld
from pmh_jupyter.storage.dialect import SCHEMA, migrating

VERSION_TABLE = "pmh_alembic_version"
# Any number will do, as long as it stays: two upgrades at once wait for each other.
ADVISORY_LOCK = 7_042_026


def check(connection: Connection) -> None:
    """Raises SchemaTooOld or SchemaTooNew unless the database is at the newest revision that this version knows."""
    present = current(connection)
    scripts = ScriptDirectory.from_config(_config())
    if present == scripts.get_current_head():
        return
    if present is not None and present not in _known(scripts):
        raise SchemaTooNew(f"The database has a schema ({present}) of a newer version of pmh-jupyter than this one.")
    raise SchemaTooOld(
        "The database has no tables of ours yet."
        if present is None
        else f"The database has an older schema ({present}) than this version of pmh-jupyter needs."
    )


def current(connection: Connection) -> str | None:
    """The revision that the database is at; None: no tables of ours."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def upgrade(engine: Engine, file: Path | None, backup_dir: Path, now: datetime) -> Path | None:
    """Brings the database to the newest revision; returns the backup's path where a backup was made."""
    with engine.connect() as connection:
        if _is_current(connection):
            return None
        present = current(connection)
    backup = _back_up(file, backup_dir, now) if file and present else None
    with engine.connect() as connection, migrating(connection):
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            _make_schema(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return backup


def _make_schema(connection: Connection) -> None:
    """Makes our schema; one that an operator made for us is taken as it is, without the right to make one."""
    there = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
    if connection.scalar(there, {"name": SCHEMA}) is None:
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))


def _is_current(connection: Connection) -> bool:
    try:
        check(connection)
    except SchemaTooOld:
        return False
    return True


def _back_up(file: Path, folder: Path, now: datetime) -> Path:
    """Copies a SQLite database through its own backup, which is whole even while others write."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / f"{file.stem}-{now:%Y%m%dT%H%M%S}.sqlite"
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.chmod(0o600)
    return copy


def _known(scripts: ScriptDirectory) -> set[str]:
    return {script.revision for script in scripts.walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
