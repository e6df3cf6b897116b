"""Full disk: a submission that does not fit is rejected with advice, leaves nothing behind, and is accepted once there is space."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from pmh_jupyter.config import Settings
from pmh_jupyter.storage.tables.results import EventRow
from pmh_jupyter.storage.tables.submissions import JobRow, SubmissionFileRow, SubmissionRow
from tests.support import tiny_course
from tests.support.hub.bare_hub import BareHub
from tests.support.service.service_process import (
    CLASSROOM,
    RunningService,
    ServiceClient,
    make_settings,
    prepare_database,
    running_service,
)
from tests.support.storage.consistency import check_consistency
from tests.support.storage.small_disk import SmallDisk, small_disk

LESSON = f"api/classrooms/{CLASSROOM}/lessons/{tiny_course.LESSON}"
MEBIBYTE = 1 << 20


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(tmp_path / "data")


@pytest.fixture(params=["blobs", "database"])
def disk(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 8 MiB for the submitted files, or for the database with the files elsewhere."""
    if request.param == "blobs":
        with small_disk(settings.data_path / "blobs", 8) as disk:
            prepare_database(settings)
            yield disk
        return
    with small_disk(settings.data_path, 8) as disk:
        elsewhere = tmp_path / "blobs"
        elsewhere.mkdir()
        (settings.data_path / "blobs").symlink_to(elsewhere)
        prepare_database(settings)
        yield disk


@pytest.fixture
async def live(disk: SmallDisk, settings: Settings, hub: BareHub) -> AsyncIterator[RunningService]:
    async with running_service(settings, hub) as running:
        yield running


async def submission_body(ada: ServiceClient, data: bytes) -> dict[str, Any]:
    """The body of a submission with a large file beside the notebook."""
    release = (await ada.get(f"{LESSON}/files"))["current"]
    files = [
        *tiny_course.fill_answers(release, two="two = 2", three="three = 3"),
        tiny_course.content("data.bin", data),
    ]
    return {"id": str(uuid.uuid4()), "release_id": release["id"], "files": files}


def rows(live: RunningService) -> list[int]:
    with live.service.database.begin_read() as session:
        tables = (SubmissionRow, SubmissionFileRow, JobRow, EventRow)
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


async def test_submission_rejected_for_a_full_disk_is_accepted_once_there_is_space(
    live: RunningService, disk: SmallDisk
) -> None:
    ada = live.student("ada")
    await ada.join()
    before = await ada.submit(two="two = 2")
    await ada.wait_until_graded(before["id"])
    keys = (await ada.get("api/receipts/keys"))["keys"]
    check_consistency(live.service.database, {before["id"]: before["receipt"]}, keys)
    body = await submission_body(ada, os.urandom(2 * MEBIBYTE))
    rows_before = rows(live)

    # The notebook still fits but the file beside it does not; in the database, not even a row fits.
    disk.fill(leave=MEBIBYTE if disk.folder.name == "blobs" else 0)
    for _ in range(2):
        refused = await ada.post(f"{LESSON}/submissions", body, 503)
        assert refused["code"] == "unavailable"
        assert "disk" in refused["message"] and "full" in refused["message"]
        assert "Nothing was recorded" in refused["advice"] and "Keep your files" in refused["advice"]
        assert "receipt" not in refused
    assert rows(live) == rows_before
    assert (await ada.get(f"api/submissions/{body['id']}", 404))["code"] == "not-found"
    assert [sent["id"] for sent in (await ada.get(f"api/classrooms/{CLASSROOM}/submissions"))["submissions"]] == [
        before["id"]
    ]
    assert (await live.anonymous().get("health"))["alive"]

    disk.free_space()
    sent = await ada.post(f"{LESSON}/submissions", body, 201)
    assert (await ada.post(f"{LESSON}/submissions", body, 201))["receipt"] == sent["receipt"]
    graded = await ada.wait_until_graded(body["id"])
    assert [verdict["outcome"] for verdict in graded["verdicts"]] == ["passed", "passed"]
    receipts = {submission["id"]: submission["receipt"] for submission in (before, sent)}
    assert len(check_consistency(live.service.database, receipts, keys)) == 2
