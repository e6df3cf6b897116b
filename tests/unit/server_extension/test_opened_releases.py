"""The record of opened releases: on disk, and at the service where the disk has none."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.server_extension.opened_releases import OpenedReleases, OpenedReleasesFile
from pmh_jupyter.server_extension.service_client import ServiceClient
from tests.support.lab.requests import REQUEST_ID
from tests.support.service.small_service import SmallService

LOG = logging.getLogger("test")
LESSON = ("physics-1", "values")


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / ".pmh" / "state.json"


@pytest.fixture
def opened_releases(state_file: Path, client: ServiceClient) -> OpenedReleases:
    return OpenedReleases(state_file, client, LOG)


def test_file_survives_a_restart_and_is_private(state_file: Path) -> None:
    first = OpenedReleasesFile(state_file, LOG)
    assert first.find_release_id(*LESSON) is None
    first.record(*LESSON, "a" * 64)
    first.record("physics-1", "loops", "b" * 64)

    reopened = OpenedReleasesFile(state_file, LOG)
    assert reopened.find_release_id(*LESSON) == "a" * 64
    assert reopened.find_release_id("physics-1", "loops") == "b" * 64
    assert state_file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["[]", "{ half", '{"opened": {"physics-1/values": 1}}'])
def test_unreadable_file_counts_as_empty_and_is_replaced(state_file: Path, content: str) -> None:
    state_file.parent.mkdir()
    state_file.write_text(content)
    file = OpenedReleasesFile(state_file, LOG)
    assert file.find_release_id(*LESSON) is None

    file.record(*LESSON, "a" * 64)

    assert json.loads(state_file.read_text()) == {"opened": {"physics-1/values": "a" * 64}}


async def test_recorded_release_is_found_while_the_service_is_down(
    opened_releases: OpenedReleases, service: SmallService
) -> None:
    await opened_releases.record(*LESSON, "a" * 64, None, REQUEST_ID)
    assert service.opened == {"values": "a" * 64}
    await service.kill()

    assert await opened_releases.find_release_id(*LESSON, REQUEST_ID) == "a" * 64


async def test_service_is_asked_if_the_file_has_no_record(
    opened_releases: OpenedReleases, service: SmallService
) -> None:
    release = service.publish("values", {"values.ipynb": b"{}"})
    assert await opened_releases.find_release_id(*LESSON, REQUEST_ID) is None, "never opened"
    service.opened["values"] = release.id

    assert await opened_releases.find_release_id(*LESSON, REQUEST_ID) == release.id


async def test_release_that_the_service_has_on_record_is_written_to_the_file_only(
    opened_releases: OpenedReleases, service: SmallService, state_file: Path
) -> None:
    await opened_releases.record(*LESSON, "a" * 64, "a" * 64, REQUEST_ID)

    assert service.requests == []
    assert "a" * 64 in state_file.read_text()


async def test_file_has_no_record_that_the_service_lacks(
    opened_releases: OpenedReleases, service: SmallService, state_file: Path
) -> None:
    await service.kill()
    with pytest.raises(Unavailable):
        await opened_releases.record(*LESSON, "a" * 64, None, REQUEST_ID)
    assert not state_file.exists()
