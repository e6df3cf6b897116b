"""Opening, locking, migrating; what a locked, lost or mistaken database is told as."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from pmh_jupyter.errors import BadInput, Conflict, SchemaTooNew, SchemaTooOld, Unavailable
from pmh_jupyter.storage import dialect, revision
from pmh_jupyter.storage.columns import Base
from pmh_jupyter.storage.database import Database, utc_now
from pmh_jupyter.storage.records import events, members, people
from tests.support.storage.postgres import Cluster
from tests.support.storage.school import MovedClock, School


def set_revision(database: Database, number: str) -> None:
    with database.write() as session:
        session.execute(text(f"UPDATE {revision.VERSION_TABLE} SET version_num = :number"), {"number": number})


def test_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    with database.engine.connect() as connection:
        options = {"version_table": revision.VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []


def test_every_constraint_is_named() -> None:
    unnamed = [
        (table.name, constraint)
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if not constraint.name
    ]
    assert unnamed == []


def test_names_of_constraints_fit_postgresql() -> None:
    names = [
        str(named.name) for table in Base.metadata.tables.values() for named in (*table.constraints, *table.indexes)
    ]
    assert [name for name in names if len(name) > 63] == []


def test_an_empty_database_is_migrated_without_a_backup(empty_url: str, tmp_path: Path) -> None:
    with Database(empty_url).open() as database:
        with pytest.raises(SchemaTooOld, match="no tables"):
            database.check_revision()
        assert database.upgrade(tmp_path / "backups") is None
        database.check_revision()
        assert database.upgrade(tmp_path / "backups") is None
    assert not (tmp_path / "backups").exists()


# The newest migration that there is; each of them is named after its number.
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
    """Turns this version into the next one, which has one more migration: it changes a table that others refer to."""
    folder = tmp_path / "versions"
    folder.mkdir()
    make = revision._alembic_config

    def config() -> Config:
        made = make()
        ours = Path(revision.__file__).parent / "migrations" / "versions"
        made.set_main_option("version_locations", f"{ours}{os.pathsep}{folder}")
        return made

    def become_next(migration: str = NEXT) -> None:
        (folder / "next.py").write_text(migration)
        monkeypatch.setattr(revision, "_config", config)

    return become_next


def test_an_older_sqlite_schema_is_backed_up_and_migrated(
    sqlite_template: Path, tmp_path: Path, next_version: Callable[..., None]
) -> None:
    path = tmp_path / "pmh.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    with Database(f"sqlite:///{path}", MovedClock()).open() as database:
        people.find_or_create(database, "ada")
        next_version()
        with pytest.raises(SchemaTooOld, match=NEWEST):
            database.check_revision()
        backup = database.migrate_or_check(tmp_path / "backups")
        database.check_revision()
        assert people.find(database, "ada")
    assert backup and backup.name == "pmh-20260302T120000.sqlite"
    assert backup.stat().st_mode & 0o077 == 0
    with Database(f"sqlite:///{backup}").open() as copy:
        assert people.find(copy, "ada")
        with pytest.raises(SchemaTooOld, match=NEWEST):
            copy.check_revision()


def test_a_migration_keeps_what_refers_to_a_changed_table(
    school: School, tmp_path: Path, next_version: Callable[..., None]
) -> None:
    ada = school.member("ada")
    next_version()
    school.database.upgrade(tmp_path / "backups")
    assert members.get_membership(school.database, ada.id, "room").person == ada
    with pytest.raises(IntegrityError), school.database.write() as session:
        session.execute(text("DELETE FROM people"))


def test_a_migration_that_breaks_references_is_not_done(
    school: School, tmp_path: Path, next_version: Callable[..., None]
) -> None:
    ada = school.member("ada")
    next_version(NEXT.split("    copies")[0] + '    op.execute("DELETE FROM people")\n')
    with pytest.raises((RuntimeError, IntegrityError)):
        school.database.upgrade(tmp_path / "backups")
    assert members.get_membership(school.database, ada.id, "room").person == ada
    with pytest.raises(SchemaTooOld, match=NEWEST):
        school.database.check_revision()


@pytest.mark.postgres
def test_an_older_postgresql_schema_names_the_command(
    cluster: Cluster, postgres_template: str, tmp_path: Path, next_version: Callable[..., None]
) -> None:
    with Database(cluster.url(cluster.make(postgres_template))).open() as database:
        next_version()
        with pytest.raises(SchemaTooOld, match=NEWEST) as caught:
            database.migrate_or_check(tmp_path / "backups")
        assert "pmh db upgrade" in caught.value.advice
        assert database.upgrade(tmp_path / "backups") is None
        assert database.migrate_or_check(tmp_path / "backups") is None


def test_a_newer_schema_is_left_alone(database: Database, tmp_path: Path) -> None:
    set_revision(database, "9999")
    for attempt in (
        database.check_revision,
        lambda: database.upgrade(tmp_path),
        lambda: database.migrate_or_check(tmp_path),
    ):
        with pytest.raises(SchemaTooNew, match="9999"):
            attempt()


def test_a_failed_migration_leaves_nothing(empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("half way")

    with Database(empty_url).open() as database:
        monkeypatch.setattr("alembic.operations.Operations.create_index", broken)
        with pytest.raises(RuntimeError, match="half way"):
            database.upgrade(tmp_path)
        with pytest.raises(SchemaTooOld, match="no tables"):
            database.check_revision()
        monkeypatch.undo()
        database.upgrade(tmp_path)
        database.check_revision()


def test_two_upgrades_at_once(empty_url: str, tmp_path: Path) -> None:
    failed: list[BaseException] = []

    def upgrade() -> None:
        try:
            with Database(empty_url).open(exclusive=False) as database:
                database.upgrade(tmp_path)
        except BaseException as error:  # noqa: BLE001  (handed to the test's own thread)
            failed.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with Database(empty_url).open() as database:
        database.check_revision()


def test_sqlite_defends_itself(sqlite_template: Path) -> None:
    with Database(f"sqlite:///{sqlite_template}").open() as database, database.read() as session:
        pragmas = {name: session.execute(text(f"PRAGMA {name}")).scalar() for name in ("synchronous", "foreign_keys")}
        assert pragmas == {"synchronous": 2, "foreign_keys": 1}
        assert session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert session.execute(text("PRAGMA busy_timeout")).scalar() == dialect.LOCK_TIMEOUT_SECONDS * 1000


@pytest.mark.postgres
def test_postgresql_keeps_to_its_own_schema(cluster: Cluster, postgres_template: str) -> None:
    with Database(cluster.url(cluster.make(postgres_template))).open() as database, database.read() as session:
        others = "('pg_catalog', 'information_schema')"
        schemas = session.scalars(text(f"SELECT schemaname FROM pg_tables WHERE schemaname NOT IN {others}"))
        assert set(schemas) == {"pmh"}
        with pytest.raises(Exception, match="read-only"):
            session.execute(text("DELETE FROM people"))


def test_a_sqlite_file_is_for_the_service_alone(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'deep' / 'pmh.sqlite'}").open() as database:
        database.upgrade(tmp_path)
        files = [path for path in (tmp_path / "deep").iterdir() if path.is_file()]
        assert {path.name for path in files} >= {"pmh.sqlite", "pmh.sqlite-wal", "pmh.sqlite.lock"}
        assert [path.name for path in files if path.stat().st_mode & 0o077] == []


def test_a_row_needs_what_it_refers_to(school: School) -> None:
    with pytest.raises(IntegrityError), school.database.write() as session:
        session.execute(text("INSERT INTO lessons (id, course_id, slug) VALUES (:id, :id, 'x')"), {"id": "0" * 32})


def test_one_process_holds_a_sqlite_file(sqlite_template: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'pmh.sqlite'}"
    script = (
        "import sys; from pmh_jupyter.storage.database import Database\n"
        "Database(sys.argv[1]).open(); print('open', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout and holder.stdout.readline() == "open\n"
        with pytest.raises(Conflict, match=f"process {holder.pid}") as caught:
            Database(url).open()
        assert "PostgreSQL" in caught.value.advice
        with Database(url).open(exclusive=False) as onlooker:  # `pmh db check` may look while it runs
            onlooker.ping()
        holder.kill()
    with Database(url).open() as database:  # the kernel took the lock back
        database.open()


def test_a_database_locked_for_a_while(sqlite_template: Path, tmp_path: Path) -> None:
    """Writers wait; readers do not."""
    path = tmp_path / "pmh.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    with Database(f"sqlite:///{path}").open() as database, closing(_locker(path)) as locker:
        assert people.find(database, "ada") is None
        timer = threading.Timer(1.0, locker.execute, ["ROLLBACK"])
        timer.start()
        assert people.find_or_create(database, "ada").name == "ada"
        timer.join()


def test_a_database_locked_for_too_long(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect, "BUSY_SECONDS", 0.1)
    path = tmp_path / "pmh.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    with Database(f"sqlite:///{path}").open() as database, closing(_locker(path)):
        with pytest.raises(Unavailable) as caught:
            people.find_or_create(database, "ada")
        assert caught.value.retry_after
        assert people.find(database, "ada") is None


def _locker(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


def test_a_full_database_is_unavailable(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "pmh.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    with Database(f"sqlite:///{path}").open() as database:
        with pytest.raises(Unavailable, match="is full") as caught, database.write() as session:
            pages = session.execute(text("PRAGMA page_count")).scalar()
            session.execute(text(f"PRAGMA max_page_count = {pages}"))
            session.execute(text("CREATE TABLE much AS SELECT randomblob(10000000) AS bytes"))
        assert "keep your files" in caught.value.advice


@pytest.mark.postgres
def test_a_full_disk_of_postgresql(cluster: Cluster) -> None:
    with Database(cluster.url(cluster.make())) as database:
        with pytest.raises(Unavailable, match="is full"), database.write() as session:
            session.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$"))


def test_what_is_in_use_while_the_database_is_closed_is_closed_later(url: str) -> None:
    database = Database(url).open()
    with database.read() as session:
        connection = session.connection().connection.dbapi_connection
        assert connection
        database.close()
        assert session.scalar(text("SELECT 1")) == 1
    with pytest.raises(Exception, match="closed"):
        connection.cursor().execute("SELECT 1")


def test_a_database_that_is_not_there() -> None:
    with pytest.raises(Unavailable):
        Database("postgresql+psycopg://nobody:secret@127.0.0.1:9/none").open()


@pytest.mark.parametrize("url", ["sqlite://", "mysql://localhost/x", "sqlite:///:memory:", "not a url"])
def test_urls_that_cannot_be_used(url: str) -> None:
    with pytest.raises(BadInput, match="PMH_DATABASE_URL"):
        Database(url)


@pytest.mark.parametrize("number", [10**30, -(10**30)])
def test_a_number_that_no_database_can_hold(school: School, number: int) -> None:
    with pytest.raises(BadInput):
        events.load_events_after(school.database, school.member().id, "room", number)


def test_mistakes_of_ours_are_not_hidden(database: Database) -> None:
    with pytest.raises((ProgrammingError, OperationalError), match="nothing"), database.read() as session:
        session.execute(text("SELECT * FROM nothing"))


def test_reading_sees_one_moment(school: School, connect: Callable[[], Database]) -> None:
    with school.database.read() as session:
        count = text("SELECT count(*) FROM people")
        before = session.execute(count).scalar()
        people.find_or_create(connect(), "late")
        assert session.execute(count).scalar() == before


def test_the_clock_knows_its_zone() -> None:
    assert utc_now().utcoffset() is not None
