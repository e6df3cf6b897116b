"""Opening and migrating databases, and the errors for full and unreachable ones."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from pmh_jupyter.errors import BadInput, SchemaTooNew, SchemaTooOld, Unavailable
from pmh_jupyter.storage import dialect, revision
from pmh_jupyter.storage.columns import Base
from pmh_jupyter.storage.database import Database, get_utc_now
from pmh_jupyter.storage.records import events, members, people
from tests.support.clock import ManualClock
from tests.support.storage.postgres import Cluster
from tests.support.storage.school import CLASSROOM, School


def set_revision(database: Database, number: str) -> None:
    with database.begin_write() as session:
        session.execute(text(f"UPDATE {revision.VERSION_TABLE} SET version_num = :number"), {"number": number})


def test_migrated_schema_equals_the_metadata_of_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        options = {"version_table": revision.VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []


@pytest.fixture
def database_from_metadata(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Iterator[Database]:
    """A database of the same kind as `database` with tables created from Base.metadata instead of by migrations."""
    if database.sqlite_path:
        url = f"sqlite:///{tmp_path / 'from-metadata.sqlite'}"
    else:
        cluster: Cluster = request.getfixturevalue("cluster")
        url = cluster.url(cluster.make())
    with Database(url) as created:
        with created.engine.begin() as connection:
            if created.sqlite_path is None:
                connection.execute(text(f"CREATE SCHEMA {dialect.SCHEMA_NAME}"))
            Base.metadata.create_all(connection)
        yield created


def describe_schema(database: Database) -> dict[str, dict[str, list[str]]]:
    """Columns, keys, constraints and indexes of each table, as text and sorted."""
    inspector = inspect(database.engine)
    return {
        table: {
            "columns": sorted(map(repr, inspector.get_columns(table))),
            "primary key": [repr(inspector.get_pk_constraint(table))],
            "foreign keys": sorted(map(repr, inspector.get_foreign_keys(table))),
            "unique constraints": sorted(map(repr, inspector.get_unique_constraints(table))),
            "check constraints": sorted(map(repr, inspector.get_check_constraints(table))),
            "indexes": sorted(map(repr, inspector.get_indexes(table))),
        }
        for table in inspector.get_table_names()
        if table != revision.VERSION_TABLE
    }


def test_migrated_schema_equals_the_schema_created_from_metadata(
    database: Database, database_from_metadata: Database
) -> None:
    """Unlike Alembic's comparison, this one includes check constraints."""
    migrated = describe_schema(database)
    assert set(migrated) == set(Base.metadata.tables)
    assert sum(len(table["check constraints"]) for table in migrated.values()) == 11
    assert migrated == describe_schema(database_from_metadata)


def test_all_constraints_have_names() -> None:
    unnamed = [
        (table.name, constraint)
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if not constraint.name
    ]
    assert unnamed == []


def test_constraint_names_fit_the_limit_of_postgresql() -> None:
    tables = Base.metadata.tables.values()
    names = [str(constraint.name) for table in tables for constraint in table.constraints]
    names += [str(index.name) for table in tables for index in table.indexes]
    assert [name for name in names if len(name) > 63] == []


def test_empty_database_is_migrated_without_a_backup(empty_url: str, tmp_path: Path) -> None:
    with Database(empty_url).open() as database:
        with pytest.raises(SchemaTooOld, match="no tables"):
            database.require_current_revision()
        assert database.upgrade(tmp_path / "backups") is None
        database.require_current_revision()
        assert database.upgrade(tmp_path / "backups") is None
    assert not (tmp_path / "backups").exists()


# The revision of the newest migration, which is the start of its file name.
NEWEST = sorted(path.name for path in Path(revision.__file__).parent.glob("migrations/versions/[0-9]*.py"))[-1][:4]
NEXT = f"""
import sqlalchemy as sa
from alembic import op
revision, down_revision = "next", "{NEWEST}"
def upgrade():
    copies = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("people", recreate=copies) as table:
        table.add_column(sa.Column("nickname", sa.String()))
"""


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Add a later migration, as a newer version of pmh-jupyter would. By default it changes a table that others refer to."""
    folder = tmp_path / "versions"
    folder.mkdir()
    make = revision._make_alembic_config

    def config() -> Config:
        result = make()
        ours = Path(revision.__file__).parent / "migrations" / "versions"
        result.set_main_option("version_locations", f"{ours}{os.pathsep}{folder}")
        return result

    def become_next(migration: str = NEXT) -> None:
        (folder / "next.py").write_text(migration)
        monkeypatch.setattr(revision, "_make_alembic_config", config)

    return become_next


def test_older_sqlite_schema_is_backed_up_and_migrated(
    sqlite_template: Path, tmp_path: Path, next_version: Callable[..., None]
) -> None:
    path = tmp_path / "pmh.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    with Database(f"sqlite:///{path}", ManualClock()).open() as database:
        people.find_or_create_person(database, "ada")
        next_version()
        with pytest.raises(SchemaTooOld, match=NEWEST):
            database.require_current_revision()
        backup = database.prepare_schema(tmp_path / "backups")
        database.require_current_revision()
        assert people.find_person(database, "ada")
    assert backup and backup.name == "pmh-20260302T120000.sqlite"
    assert backup.stat().st_mode & 0o077 == 0
    with Database(f"sqlite:///{backup}").open() as copy:
        assert people.find_person(copy, "ada")
        with pytest.raises(SchemaTooOld, match=NEWEST):
            copy.require_current_revision()


def test_migration_of_a_table_keeps_rows_that_refer_to_it(
    school: School, tmp_path: Path, next_version: Callable[..., None]
) -> None:
    ada = school.add_member("ada")
    next_version()
    school.database.upgrade(tmp_path / "backups")
    assert members.get_membership(school.database, ada.id, CLASSROOM).person == ada
    with pytest.raises(IntegrityError), school.database.begin_write() as session:
        session.execute(text("DELETE FROM people"))


def test_migration_that_breaks_references_is_rolled_back(
    school: School, tmp_path: Path, next_version: Callable[..., None]
) -> None:
    ada = school.add_member("ada")
    next_version(NEXT.split("    copies")[0] + '    op.execute("DELETE FROM people")\n')
    with pytest.raises((RuntimeError, IntegrityError)):
        school.database.upgrade(tmp_path / "backups")
    assert members.get_membership(school.database, ada.id, CLASSROOM).person == ada
    with pytest.raises(SchemaTooOld, match=NEWEST):
        school.database.require_current_revision()


@pytest.mark.postgres
def test_older_postgresql_schema_is_not_migrated_by_the_service(
    cluster: Cluster, postgres_template: str, tmp_path: Path, next_version: Callable[..., None]
) -> None:
    with Database(cluster.url(cluster.make(postgres_template))).open() as database:
        next_version()
        with pytest.raises(SchemaTooOld, match=NEWEST) as caught:
            database.prepare_schema(tmp_path / "backups")
        assert "pmh db upgrade" in caught.value.advice
        assert database.upgrade(tmp_path / "backups") is None
        assert database.prepare_schema(tmp_path / "backups") is None


def test_newer_schema_is_rejected_and_not_changed(database: Database, tmp_path: Path) -> None:
    set_revision(database, "9999")
    with pytest.raises(SchemaTooNew, match="9999"):
        database.require_current_revision()
    with pytest.raises(SchemaTooNew, match="9999"):
        database.upgrade(tmp_path)
    with pytest.raises(SchemaTooNew, match="9999"):
        database.prepare_schema(tmp_path)


def test_failed_migration_leaves_no_tables(empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("interrupted")

    with Database(empty_url).open() as database:
        monkeypatch.setattr("alembic.operations.Operations.create_index", fail)
        with pytest.raises(RuntimeError, match="interrupted"):
            database.upgrade(tmp_path)
        with pytest.raises(SchemaTooOld, match="no tables"):
            database.require_current_revision()
        monkeypatch.undo()
        database.upgrade(tmp_path)
        database.require_current_revision()


def test_concurrent_upgrades_succeed(empty_url: str, tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def upgrade() -> None:
        try:
            with Database(empty_url).open(takes_lock=False) as database:
                database.upgrade(tmp_path)
        except BaseException as error:  # noqa: BLE001  (asserted in the test's own thread)
            errors.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Database(empty_url).open() as database:
        database.require_current_revision()


def test_sqlite_enforces_foreign_keys_and_durable_writes(sqlite_template: Path) -> None:
    with Database(f"sqlite:///{sqlite_template}").open() as database, database.begin_read() as session:
        pragmas = {name: session.execute(text(f"PRAGMA {name}")).scalar() for name in ("synchronous", "foreign_keys")}
        assert pragmas == {"synchronous": 2, "foreign_keys": 1}
        assert session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert session.execute(text("PRAGMA busy_timeout")).scalar() == dialect.LOCK_TIMEOUT_SECONDS * 1000


@pytest.mark.postgres
def test_postgresql_tables_are_in_our_schema_and_readers_cannot_write(cluster: Cluster, postgres_template: str) -> None:
    with Database(cluster.url(cluster.make(postgres_template))).open() as database, database.begin_read() as session:
        others = "('pg_catalog', 'information_schema')"
        schemas = session.scalars(text(f"SELECT schemaname FROM pg_tables WHERE schemaname NOT IN {others}"))
        assert set(schemas) == {"pmh"}
        with pytest.raises(Exception, match="read-only"):
            session.execute(text("DELETE FROM people"))


def test_sqlite_files_are_accessible_to_the_service_only(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'deep' / 'pmh.sqlite'}").open() as database:
        database.upgrade(tmp_path)
        files = [path for path in (tmp_path / "deep").iterdir() if path.is_file()]
        assert {path.name for path in files} >= {"pmh.sqlite", "pmh.sqlite-wal", "pmh.sqlite.lock"}
        assert [path.name for path in files if path.stat().st_mode & 0o077] == []


def test_row_with_a_dangling_reference_is_rejected(school: School) -> None:
    with pytest.raises(IntegrityError), school.database.begin_write() as session:
        session.execute(text("INSERT INTO lessons (id, course_id, slug) VALUES (:id, :id, 'x')"), {"id": "0" * 32})


def test_full_sqlite_database_is_unavailable(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "pmh.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    with Database(f"sqlite:///{path}").open() as database:
        with pytest.raises(Unavailable, match="is full") as caught, database.begin_write() as session:
            pages = session.execute(text("PRAGMA page_count")).scalar()
            session.execute(text(f"PRAGMA max_page_count = {pages}"))
            session.execute(text("CREATE TABLE much AS SELECT randomblob(10000000) AS bytes"))
        assert "Keep your files" in caught.value.advice


@pytest.mark.postgres
def test_full_disk_of_postgresql_is_unavailable(cluster: Cluster) -> None:
    with Database(cluster.url(cluster.make())) as database:
        with pytest.raises(Unavailable, match="is full"), database.begin_write() as session:
            session.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$"))


def test_connection_in_use_is_closed_after_its_transaction(url: str) -> None:
    database = Database(url).open()
    with database.begin_read() as session:
        connection = session.connection().connection.dbapi_connection
        assert connection
        database.close()
        assert session.scalar(text("SELECT 1")) == 1
    with pytest.raises(Exception, match="closed"):
        connection.cursor().execute("SELECT 1")


def test_unreachable_database_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        Database("postgresql+psycopg://nobody:secret@127.0.0.1:9/none").open()


@pytest.mark.parametrize("url", ["sqlite://", "mysql://localhost/x", "sqlite:///:memory:", "not a url"])
def test_unusable_database_url_is_rejected(url: str) -> None:
    with pytest.raises(BadInput, match="PMH_DATABASE_URL"):
        Database(url)


@pytest.mark.parametrize("number", [10**30, -(10**30)])
def test_number_beyond_64_bits_is_rejected(school: School, number: int) -> None:
    with pytest.raises(BadInput):
        events.load_events_after(school.database, school.add_member().id, CLASSROOM, number)


def test_wrong_sql_is_not_translated(database: Database) -> None:
    with pytest.raises((ProgrammingError, OperationalError), match="nothing"), database.begin_read() as session:
        session.execute(text("SELECT * FROM nothing"))


def test_read_transaction_sees_one_snapshot(school: School, connect: Callable[[], Database]) -> None:
    with school.database.begin_read() as session:
        count = text("SELECT count(*) FROM people")
        before = session.execute(count).scalar()
        people.find_or_create_person(connect(), "late")
        assert session.execute(count).scalar() == before


def test_default_clock_has_a_time_zone() -> None:
    assert get_utc_now().utcoffset() is not None
