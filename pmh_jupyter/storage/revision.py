"""Compares the schema revision of a database with the one of this version of pmh-jupyter, and runs migrations."""

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
from pmh_jupyter.storage.dialect import SCHEMA_NAME, begin_migration

VERSION_TABLE = "pmh_alembic_version"
# PostgreSQL advisory lock that serializes concurrent upgrades. An arbitrary number that must never change.
ADVISORY_LOCK_KEY = 7_042_026


def require_current_revision(connection: Connection) -> None:
    """Raise SchemaTooOld or SchemaTooNew unless the database is at the newest revision of this version."""
    revision_id = read_current_revision(connection)
    scripts = ScriptDirectory.from_config(_make_alembic_config())
    if revision_id == scripts.get_current_head():
        return
    if revision_id is not None and revision_id not in _list_known_revisions(scripts):
        raise SchemaTooNew(f"A newer version of pmh-jupyter has written the database's schema ({revision_id}).")
    raise SchemaTooOld(
        "The database has no tables of pmh-jupyter yet."
        if revision_id is None
        else f"The database's schema ({revision_id}) is older than this version of pmh-jupyter requires."
    )


def read_current_revision(connection: Connection) -> str | None:
    """Return the revision of the database; None if it has no tables of pmh-jupyter."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def upgrade_schema(engine: Engine, sqlite_path: Path | None, backup_dir: Path, now: datetime) -> Path | None:
    """Upgrade the database to the newest revision. Returns the path of the backup if one was made. Raises SchemaTooNew."""
    with engine.connect() as connection:
        if _is_current(connection):
            return None
        revision_id = read_current_revision(connection)
    backup_path = _back_up_sqlite(sqlite_path, backup_dir, now) if sqlite_path and revision_id else None
    with engine.connect() as connection, begin_migration(connection):
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK_KEY})
            _create_schema(connection)
        config = _make_alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return backup_path


def _create_schema(connection: Connection) -> None:
    """Create the schema unless it exists. If an operator has created it, no privilege to create schemas is needed."""
    schema_query = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
    if connection.scalar(schema_query, {"name": SCHEMA_NAME}) is None:
        connection.execute(text(f"CREATE SCHEMA {SCHEMA_NAME}"))


def _is_current(connection: Connection) -> bool:
    try:
        require_current_revision(connection)
    except SchemaTooOld:
        return False
    return True


def _back_up_sqlite(sqlite_path: Path, folder: Path, now: datetime) -> Path:
    """Copy a SQLite database with its backup API, which gives a consistent copy even while others write."""
    folder.mkdir(parents=True, exist_ok=True)
    backup_path = folder / f"{sqlite_path.stem}-{now:%Y%m%dT%H%M%S}.sqlite"
    with closing(sqlite3.connect(sqlite_path)) as source, closing(sqlite3.connect(backup_path)) as target:
        source.backup(target)
    backup_path.chmod(0o600)
    return backup_path


def _list_known_revisions(scripts: ScriptDirectory) -> set[str]:
    return {script.revision for script in scripts.walk_revisions()}


def _make_alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
