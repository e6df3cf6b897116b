"""service: a small real service. client: a client of it with the owner's token. outbox: an empty outbox in `tmp_path`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pmh_jupyter.server_extension.outbox import Outbox
from pmh_jupyter.server_extension.service_client import ServiceClient
from tests.support.service.small_service import TOKEN, SmallService

LOG = logging.getLogger("test")


@pytest.fixture
async def service() -> AsyncIterator[SmallService]:
    service = SmallService()
    service.start()
    yield service
    await service.stop()


@pytest.fixture
async def client(service: SmallService) -> AsyncIterator[ServiceClient]:
    client = ServiceClient(service.url, TOKEN, LOG)
    yield client
    await client.close()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox", LOG)
