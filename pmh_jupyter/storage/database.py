"""The database: opened and closed, its revision checked, its transactions.

Everything here is synchronous and made for a pool of threads; an event loop must not wait for it.
"""

from __future__ import annotations

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

from pmh_jupyter.errors import BadInput, Unavailable
from pmh_jupyter.storage import dialect, revision
from pmh_jupyter.storage.blobs import BlobStore, DatabaseBlobStore, FileBlobStore
from pmh_jupyter.storage.lock import ProcessLock

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The service's clock."""
    return datetime.now(UTC)


class Database:
    """One database of ours, SQLite or PostgreSQL, with the blobs that belong to it.

    `blob_folder` keeps blobs as files there. Without it they lie in `blobs` beside a SQLite file, and in PostgreSQL itself.
    """

    def __init__(self, url: str, clock: Clock = utc_now, *, blob_folder: Path | None = None) -> None:
        try:
            self.url = make_url(url)
        except ArgumentError as error:
            raise BadInput(
                "PMH_DATABASE_URL is not a database URL.", advice="See docs/reference/settings.md."
            ) from error
        self.now = clock
        self.sqlite_path = _sqlite_path(self.url.database) if self.url.get_backend_name() == "sqlite" else None
        folder = blob_folder or (self.sqlite_path and self.sqlite_path.parent / "blobs")
        self.blobs: BlobStore = FileBlobStore(folder) if folder else DatabaseBlobStore()
        self.engine: Engine = dialect.make_engine(self.url)
        self._read_only_engine = dialect.make_read_only_engine(self.engine)
        self._lock = (
            ProcessLock(self.sqlite_path.with_name(self.sqlite_path.name + ".lock")) if self.sqlite_path else None
        )

    def open(self, *, exclusive: bool = True) -> Database:
        """Makes sure that the database answers. For SQLite it takes the lock of the one service process, unless told otherwise.

        Raises Conflict when another process holds the lock, Unavailable when the database does not answer.
        """
        if self.sqlite_path:
            self.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
            self.sqlite_path.touch(mode=0o600)  # SQLite would make it for everybody to read
        if self._lock and exclusive:
            self._lock.acquire()
        try:
            self.ping()
        except BaseException:
            self.close()
            raise
        return self

    @property
    def is_sole_process(self) -> bool:
        """True where no other service process can be using the database: SQLite, while this process holds its lock."""
        return self._lock is not None and self._lock.is_held

    def close(self) -> None:
        """Closes every connection and gives the lock back; a thread that is still at work has its own closed when it is done."""
        event.listen(self.engine, "checkin", _invalidate_on_checkin)
        self.engine.dispose()
        if self._lock:
            self._lock.release()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def ping(self) -> None:
        """Asks the database a trivial question; raises Unavailable."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def check_revision(self) -> None:
        """Raises SchemaTooOld or SchemaTooNew unless the schema is this version's."""
        with _translate_errors(), self.engine.connect() as connection:
            revision.check_revision(connection)

    def upgrade(self, backup_dir: Path) -> Path | None:
        """Migrates to this version's schema; a SQLite file with data in it is backed up first, and the copy's path returned.

        Raises SchemaTooNew for a schema of a newer version, which is left alone.
        """
        with _translate_errors():
            return revision.upgrade_schema(self.engine, self.sqlite_path, backup_dir, self.now())

    def migrate_or_check(self, backup_dir: Path) -> Path | None:
        """What a starting service does: SQLite is backed up and migrated; PostgreSQL, which others may be using, only checked."""
        if self.sqlite_path:
            return self.upgrade(backup_dir)
        self.check_revision()
        return None

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction that may write: committed as a whole at the end, or not at all."""
        with _translate_errors(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One transaction that only reads; all that it sees is of one moment, and it waits for no writer."""
        with _translate_errors(), Session(self._read_only_engine, autoflush=False) as session, session.begin():
            yield session


def _invalidate_on_checkin(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    entry.invalidate()


def _sqlite_path(name: str | None) -> Path:
    if not name or name == ":memory:":
        raise BadInput(
            "PMH_DATABASE_URL names a SQLite database in memory.",
            advice="Name a file (sqlite:////path/pmh.sqlite): nothing in memory survives a restart.",
        )
    return Path(name).absolute()


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Turns a database that cannot be reached, is locked or is full into Unavailable, and a value that no database can hold
    (a NUL in a name, a number beyond 64 bits) into BadInput; a mistake of ours stays what it is."""
    try:
        yield
    except (DataError, UnicodeEncodeError, OverflowError) as error:
        raise BadInput("It holds a character or a number that cannot be stored.") from error
    except (InterfaceError, PoolTimeoutError) as error:
        raise _unavailable_error() from error
    except OperationalError as error:
        # SQLite gives this class to wrong SQL as well.
        if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_ERROR":
            raise
        raise (_disk_full_error() if _is_disk_full(error) else _unavailable_error()) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _unavailable_error() from error
        raise


def _unavailable_error() -> Unavailable:
    return Unavailable("The hub's database does not answer just now.", retry_after=2.0)


def _is_disk_full(error: OperationalError) -> bool:
    """Whether there is no room left for the database; PostgreSQL's class 53100 is disk_full."""
    error_code = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    return error_code in {"SQLITE_FULL", "53100"}


def _disk_full_error() -> Unavailable:
    return Unavailable(
        "The hub could not record it: the disk of its database is full.",
        advice="Nothing was recorded. Tell whoever runs this hub, and try again later; keep your files.",
        retry_after=10.0,
    )
