"""Opening a lesson: order of disk and service, and what is recorded when a step fails."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path

import pytest

from pmh_jupyter.errors import NotSaved, Unavailable
from pmh_jupyter.server_extension.error_replies import ServiceError
from pmh_jupyter.server_extension.open_lesson import LessonOpener
from pmh_jupyter.server_extension.opened_releases import OpenedReleases
from pmh_jupyter.server_extension.service_client import ServiceClient
from pmh_jupyter.wire.base import ErrorReply
from pmh_jupyter.wire.lab import OpenLessonRequest
from tests.support.lab.requests import REQUEST_ID
from tests.support.notebooks import notebook
from tests.support.observed_lock import ObservedLock
from tests.support.service.small_service import SmallService

LOG = logging.getLogger("test")
LESSON = ("physics-1", "values")
FILES = {"values.ipynb": notebook(swap="pass"), "data/numbers.csv": b"1,2,3\n"}


@pytest.fixture
def disk_lock() -> ObservedLock:
    return ObservedLock()


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


@pytest.fixture
def opener(tmp_path: Path, state_file: Path, client: ServiceClient, disk_lock: ObservedLock) -> LessonOpener:
    (tmp_path / "root").mkdir()
    return LessonOpener(tmp_path / "root", OpenedReleases(state_file, client, LOG), client, disk_lock)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "root" / "courses" / "physics-1" / "values"


async def test_first_opening_writes_the_files_and_records_the_release(
    opener: LessonOpener, service: SmallService, folder: Path, state_file: Path
) -> None:
    release = service.publish("values", FILES)

    reply = await opener.open(*LESSON, OpenLessonRequest(), REQUEST_ID)

    assert (reply.folder, reply.release_id) == ("courses/physics-1/values", release.id)
    assert reply.notebooks == ("courses/physics-1/values/values.ipynb",)
    assert reply.merge is None and not reply.is_update_postponed
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert service.opened == {"values": release.id}
    assert json.loads(state_file.read_text()) == {"opened": {"physics-1/values": release.id}}


async def test_files_of_a_student_have_ordinary_permissions(
    opener: LessonOpener, service: SmallService, folder: Path
) -> None:
    service.publish("values", FILES)
    umask = os.umask(0o022)
    try:
        await opener.open(*LESSON, OpenLessonRequest(), REQUEST_ID)
    finally:
        os.umask(umask)
    assert (folder / "values.ipynb").stat().st_mode & 0o777 == 0o644


async def test_update_reports_its_merge_and_the_path_of_the_backup(
    opener: LessonOpener, service: SmallService, folder: Path
) -> None:
    service.publish("values", FILES)
    await opener.open(*LESSON, OpenLessonRequest(), REQUEST_ID)
    service.publish("values", {**FILES, "values.ipynb": notebook(swap="pass", mean="pass")})

    reply = await opener.open(*LESSON, OpenLessonRequest(), REQUEST_ID)

    assert reply.merge is not None and "mean" in reply.merge.added
    assert reply.merge.backup_path is not None
    backup = folder.parents[2] / reply.merge.backup_path
    assert (backup / "values.ipynb").read_bytes() == FILES["values.ipynb"]


async def test_postponed_update_is_not_recorded(opener: LessonOpener, service: SmallService) -> None:
    first = service.publish("values", FILES)
    await opener.open(*LESSON, OpenLessonRequest(), REQUEST_ID)
    service.publish("values", {**FILES, "values.ipynb": notebook(swap="pass", mean="pass")})
    request = OpenLessonRequest(unsaved_notebooks=("courses/physics-1/values/values.ipynb",))

    reply = await opener.open(*LESSON, request, REQUEST_ID)

    assert reply.is_update_postponed and reply.release_id == first.id
    assert service.opened == {"values": first.id}


async def test_release_is_not_recorded_on_disk_if_the_service_cannot_record_it(
    opener: LessonOpener, service: SmallService, folder: Path, state_file: Path
) -> None:
    service.publish("values", FILES)
    service.fail("opened", 503, ErrorReply(code="unavailable", message="Busy.", advice="Wait.", request_id=REQUEST_ID))
    with pytest.raises(ServiceError):
        await opener.open(*LESSON, OpenLessonRequest(), REQUEST_ID)
    assert not state_file.exists()

    await opener.open(*LESSON, OpenLessonRequest(), REQUEST_ID)

    assert state_file.exists() and "values" in service.opened


async def test_full_disk_is_reported_and_nothing_is_recorded(
    opener: LessonOpener, service: SmallService, state_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.publish("values", FILES)

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NotSaved, match="No space left"):
        await opener.open(*LESSON, OpenLessonRequest(), REQUEST_ID)
    assert service.opened == {} and not state_file.exists()


async def test_reply_in_an_unknown_format_is_unavailable_and_names_the_remedy(
    opener: LessonOpener, service: SmallService
) -> None:
    service.respond_with("files", b'{"unknown": 1}')
    with pytest.raises(Unavailable) as raised:
        await opener.open(*LESSON, OpenLessonRequest(), REQUEST_ID)
    assert "Restart your server" in raised.value.advice


async def test_lock_of_the_disk_is_held_until_the_files_are_written(
    opener: LessonOpener, service: SmallService, disk_lock: ObservedLock, folder: Path
) -> None:
    service.publish("values", FILES)
    async with disk_lock:
        opening = asyncio.create_task(opener.open(*LESSON, OpenLessonRequest(), REQUEST_ID))
        await disk_lock.wait_for_contention(opening)
        assert not folder.exists()
    async with disk_lock:  # the lock is fair: the opener comes first
        assert (folder / "values.ipynb").exists()
    await opening
