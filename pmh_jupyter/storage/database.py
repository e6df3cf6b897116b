"""Opens and closes the database, checks and upgrades its schema, and runs transactions.

Everything here is synchronous and meant for a pool of threads. Do not call it from an event loop.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from pmh_jupyter.errors import BadInput, Conflict, Unavailable
from pmh_jupyter.filesystem import FileLock, LockHeld
from pmh_jupyter.storage import dialect, revision
from pmh_jupyter.storage.blobs import BlobStore, DatabaseBlobStore, FileBlobStore

Clock = Callable[[], datetime]


def get_utc_now() -> datetime:
    """Return the current time in UTC. The default clock."""
    return datetime.now(UTC)


class Database:
    """A SQLite or PostgreSQL database and its blobs: files in the folder `blobs` beside a SQLite file, rows in PostgreSQL.

    The constructor connects to nothing. It raises BadInput for a URL that is malformed or names another kind of database.
    """

    def __init__(self, url: str, clock: Clock = get_utc_now) -> None:
        try:
            self.url = make_url(url)
        except ArgumentError as error:
            raise BadInput(
                "PMH_DATABASE_URL is not a database URL.", advice="See docs/reference/settings.md."
            ) from error
        self.now = clock
        self.sqlite_path = _find_sqlite_path(self.url.database) if self.url.get_backend_name() == "sqlite" else None
        self.blobs: BlobStore = (
            FileBlobStore(self.sqlite_path.parent / "blobs") if self.sqlite_path else DatabaseBlobStore()
        )
        self.engine: Engine = dialect.make_engine(self.url)
        self._read_only_engine = dialect.make_read_only_engine(self.engine)
        self._lock = FileLock(self.sqlite_path.with_name(f"{self.sqlite_path.name}.lock")) if self.sqlite_path else None

    def open(self, *, takes_lock: bool = True) -> Database:
        """Check that the database responds, and return self.

        takes_lock: also take the lock that only one process can hold for a SQLite file. Set it to False for short queries beside a
        running service. Raises Conflict if another process holds the lock, Unavailable if the database does not respond.
        """
        if self.sqlite_path:
            self.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
            self.sqlite_path.touch(mode=0o600)  # SQLite would create a file that all users can read
        if self._lock and takes_lock:
            _acquire_lock(self._lock)
        try:
            self.ping()
        except BaseException:
            self.close()
            raise
        return self

    @property
    def is_sole_process(self) -> bool:
        """Whether no other service process can be using the database: for SQLite, while this process holds the lock."""
        return self._lock is not None and self._lock.is_held

    def close(self) -> None:
        """Close all connections and release the lock. A connection in use by another thread is closed when that thread returns it."""
        event.listen(self.engine, "checkin", _invalidate_on_checkin)
        self.engine.dispose()
        if self._lock:
            self._lock.release()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def ping(self) -> None:
        """Run a trivial query. Raises Unavailable if the database does not respond."""
        with self.begin_read() as session:
            session.execute(text("SELECT 1"))

    def require_current_revision(self) -> None:
        """Raise SchemaTooOld or SchemaTooNew unless the schema is the one of this version of pmh-jupyter."""
        with _translate_errors(), self.engine.connect() as connection:
            revision.require_current_revision(connection)

    def upgrade(self, backup_dir: Path) -> Path | None:
        """Migrate to the schema of this version of pmh-jupyter.

        Backs up a SQLite file with data first and returns the path of the backup. Raises SchemaTooNew, and changes nothing, if a
        newer version has written the schema.
        """
        with _translate_errors():
            return revision.upgrade_schema(self.engine, self.sqlite_path, backup_dir, self.now())

    def prepare_schema(self, backup_dir: Path) -> Path | None:
        """Prepare the schema for a starting service: upgrade SQLite, but only check PostgreSQL, which other processes may be using."""
        if self.sqlite_path:
            return self.upgrade(backup_dir)
        self.require_current_revision()
        return None

    @contextmanager
    def begin_write(self) -> Iterator[Session]:
        """Begin a transaction that may write. It is committed at the end of the block, and rolled back if the block raises."""
        with _translate_errors(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def begin_read(self) -> Iterator[Session]:
        """Begin a read-only transaction. All its queries see the same snapshot, and it never waits for a writer."""
        with _translate_errors(), Session(self._read_only_engine, autoflush=False) as session, session.begin():
            yield session


def _acquire_lock(lock: FileLock) -> None:
    """Acquire the lock of a SQLite file. Raises Conflict, which names the process that holds it."""
    try:
        lock.acquire(f"process {os.getpid()}")
    except LockHeld as error:
        raise Conflict(
            f"Another process{f' ({error.holder})' if error.holder else ''} is already using this hub's database.",
            advice="Stop it first, or use PostgreSQL (PMH_DATABASE_URL), which several processes can share.",
        ) from error


def _invalidate_on_checkin(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    entry.invalidate()


def _find_sqlite_path(name: str | None) -> Path:
    if not name or name == ":memory:":
        raise BadInput(
            "PMH_DATABASE_URL names a SQLite database in memory.",
            advice="Name a file, for example sqlite:////path/pmh.sqlite. Data in memory is lost at every restart.",
        )
    return Path(name).absolute()


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Translate errors of the database driver.

    Unavailable: the database cannot be reached, is locked or is full. BadInput: it cannot store a value (a NUL in a name, an
    integer of more than 64 bits). All other errors are bugs and are not translated.
    """
    try:
        yield
    except (DataError, UnicodeEncodeError, OverflowError) as error:
        raise BadInput("Your request contains a character or a number that cannot be stored.") from error
    except (InterfaceError, PoolTimeoutError) as error:
        raise _make_unavailable_error() from error
    except OperationalError as error:
        # SQLite also raises this class for invalid SQL.
        if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_ERROR":
            raise
        raise (_make_disk_full_error() if _is_disk_full(error) else _make_unavailable_error()) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _make_unavailable_error() from error
        raise


def _make_unavailable_error() -> Unavailable:
    return Unavailable("The hub's database does not respond.", retry_after=2.0)


def _is_disk_full(error: OperationalError) -> bool:
    """Return whether the database's disk is full. In PostgreSQL, SQLSTATE 53100 is disk_full."""
    error_code = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    return error_code in {"SQLITE_FULL", "53100"}


def _make_disk_full_error() -> Unavailable:
    return Unavailable(
        "The hub could not save your request: the disk of its database is full.",
        advice="Nothing was recorded. Contact your hub administrator, and try again later. Keep your files.",
        retry_after=10.0,
    )
