"""Two hubs for the whole folder: the product, and the same without walls. Ada and Bob have a server on each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.hub.hub_process import CONFIG, HubProcess, Person, running_hub

UNWALLED = Path(__file__).parent / "unwalled_config.py"


@dataclass(frozen=True)
class Neighbours:
    """A hub, and two students with running servers on it."""

    hub: HubProcess
    ada: Person
    bob: Person


@contextmanager
def neighbours(folder: Path, config: Path) -> Iterator[Neighbours]:
    with running_hub(folder, config) as hub:
        ada, bob = (hub.person(name).log_in().start_server() for name in ("ada", "bob"))
        yield Neighbours(hub, ada, bob)


@pytest.fixture(scope="session")
def walled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with neighbours(tmp_path_factory.mktemp("walled"), CONFIG) as found:
        yield found


@pytest.fixture(scope="session")
def unwalled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with neighbours(tmp_path_factory.mktemp("unwalled"), UNWALLED) as found:
        yield found
