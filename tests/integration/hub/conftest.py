"""Two hubs for the whole folder: the product, and the same without sandboxes. Ada and Bob have a running server on each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.hub.hub_process import CONFIG, HubProcess, Person, running_hub

UNSANDBOXED_CONFIG = Path(__file__).parent / "unsandboxed_config.py"


@dataclass(frozen=True)
class Neighbors:
    """A hub, and two students with running servers on it."""

    hub: HubProcess
    ada: Person
    bob: Person


@contextmanager
def neighbors(folder: Path, config: Path) -> Iterator[Neighbors]:
    with running_hub(folder, config) as hub:
        ada, bob = (hub.person(name).log_in().start_server() for name in ("ada", "bob"))
        yield Neighbors(hub, ada, bob)


@pytest.fixture(scope="session")
def sandboxed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbors]:
    with neighbors(tmp_path_factory.mktemp("sandboxed"), CONFIG) as people:
        yield people


@pytest.fixture(scope="session")
def unsandboxed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbors]:
    with neighbors(tmp_path_factory.mktemp("unsandboxed"), UNSANDBOXED_CONFIG) as people:
        yield people
