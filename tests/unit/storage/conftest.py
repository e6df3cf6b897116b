"""Fixtures: `database` is migrated and empty, `school` has a classroom with a course in it; both exist in SQLite and in PostgreSQL.
`clock` shows the same time until a test advances it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pmh_jupyter.storage.database import Database
from tests.support.clock import ManualClock
from tests.support.storage.postgres import Cluster, running_cluster
from tests.support.storage.school import School

BACKENDS = [pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        yield running


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "pmh.sqlite"
    with Database(f"sqlite:///{path}").open() as database:
        database.upgrade(path.parent)
    return path


@pytest.fixture(scope="session")
def postgres_template(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated PostgreSQL database, to be copied."""
    name = cluster.make()
    with Database(cluster.url(name)).open() as database:
        database.upgrade(tmp_path_factory.mktemp("backups"))
    return name


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database."""
    if request.param == "sqlite":
        path = tmp_path / "pmh.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.make(request.getfixturevalue("postgres_template"))
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'pmh.sqlite'}"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.make()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def connect(url: str, clock: ManualClock) -> Iterator[Callable[[], Database]]:
    """Open another connection pool on the database with every call, as another process would."""
    databases: list[Database] = []

    def open_database() -> Database:
        databases.append(Database(url, clock).open(takes_lock=False))
        return databases[-1]

    yield open_database
    for database in databases:
        database.close()


@pytest.fixture
def database(connect: Callable[[], Database]) -> Database:
    return connect()


@pytest.fixture
def school(database: Database, clock: ManualClock) -> School:
    return School(database, clock)
