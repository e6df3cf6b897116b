"""Fixtures: `hub`, a real JupyterHub for the session; `settings`, of a service with a prepared SQLite database; `live`, that service
running in this process; `live_on_each_database`, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.service import logs
from tests.support.hub.bare_hub import BareHub, running_bare_hub
from tests.support.service.service_process import RunningService, make_settings, prepare_database, running_service
from tests.support.storage.postgres import Cluster, running_cluster


@pytest.fixture(scope="session", autouse=True)
def _configure_logging() -> None:
    logs.configure_logging("debug", is_json=True)


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareHub]:
    with running_bare_hub(tmp_path_factory.mktemp("bare-hub")) as hub:
        yield hub


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = make_settings(tmp_path / "data")
    prepare_database(settings)
    return settings


@pytest.fixture
async def live(settings: Settings, hub: BareHub) -> AsyncIterator[RunningService]:
    async with running_service(settings, hub) as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def live_on_each_database(
    request: pytest.FixtureRequest, tmp_path: Path, hub: BareHub
) -> AsyncIterator[RunningService]:
    database_url = ""
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        database_url = cluster.url(cluster.make())
    settings = make_settings(tmp_path / "data", database_url)
    prepare_database(settings)
    async with running_service(settings, hub) as running:
        yield running


@pytest.fixture(scope="module")
def module_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with a prepared SQLite database for all tests of a module, and with rate limits that no test reaches."""
    folder = tmp_path_factory.mktemp("service") / "data"
    settings = make_settings(folder, requests_per_minute=100_000, checks_per_minute=100_000)
    prepare_database(settings)
    return settings
