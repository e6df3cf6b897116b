"""The extension with the real service, tokens of a real hub and real grading. The other tests use a small service instead."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from pmh_jupyter.domain.roles import Role
from tests.support import tiny_course
from tests.support.hub.bare_hub import BareHub, running_bare_hub
from tests.support.lab.event_reader import open_events
from tests.support.lab.server import Lab
from tests.support.notebooks import answer
from tests.support.service.service_process import (
    CLASSROOM,
    JOIN_CODES,
    RunningService,
    make_settings,
    prepare_database,
    running_service,
)

LESSON = f"classrooms/{CLASSROOM}/lessons/{tiny_course.LESSON}"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareHub]:
    with running_bare_hub(tmp_path_factory.mktemp("bare-hub")) as hub:
        yield hub


@pytest.fixture
async def live(tmp_path: Path, hub: BareHub) -> AsyncIterator[RunningService]:
    settings = make_settings(tmp_path / "data")
    prepare_database(settings)
    async with running_service(settings, hub) as running:
        yield running


@pytest.fixture
async def ada(live: RunningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", live.student("ada").token)
    root = tmp_path / "root"
    root.mkdir()
    lab = await Lab(root, tmp_path / "home" / ".pmh", live.base_url).start()
    yield lab
    await lab.stop()


async def wait_until_graded(lab: Lab, submission_id: str) -> None:
    """Read the event stream until the submission has been graded."""
    headers = {"Authorization": "token ada-token"}
    received = ""
    async with open_events(f"{lab.url}/classrooms/{CLASSROOM}/events?after=0", headers, timeout=60) as reader:
        async for chunk in reader.chunks:
            received += chunk.decode()
            lines = received.split("\n")[:-1]
            events = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
            if any(
                event["kind"] == "submission-graded" and event["data"]["submission_id"] == submission_id
                for event in events
            ):
                return
    raise AssertionError(f"the stream ended before {submission_id} was graded: {received}")


async def test_student_joins_opens_checks_and_submits(ada: Lab) -> None:
    assert (await ada.get("me")).data["classrooms"] == []
    assert (await ada.post("join", {"join_code": "no-such-code"})).status >= 400
    assert (await ada.post("join", {"join_code": JOIN_CODES[Role.STUDENT]})).data["slug"] == CLASSROOM

    opened = (await ada.post(f"{LESSON}/open")).data
    reopened = (await ada.post(f"{LESSON}/open")).data
    assert reopened == opened and opened["merge"] is None
    notebook = ada.root / opened["notebooks"][0]

    wrong_id = str(uuid4())
    notebook.write_bytes(answer(notebook.read_bytes(), "two", "two = 3"))
    assert (await ada.post(f"{LESSON}/checks", {"id": wrong_id, "exercises": ["two"]})).data["state"] in (
        "queued",
        "running",
    )
    await wait_until_graded(ada, wrong_id)
    assert (await ada.get(f"submissions/{wrong_id}")).data["verdicts"][0]["outcome"] == "failed"

    right_id = str(uuid4())
    notebook.write_bytes(answer(notebook.read_bytes(), "two", "two = 2"))
    submitted = (await ada.post(f"{LESSON}/submissions", {"id": right_id})).data
    assert submitted["receipt"]["submission_id"] == right_id
    assert (await ada.post(f"{LESSON}/submissions", {"id": right_id})).data["receipt"] == submitted["receipt"]
    await wait_until_graded(ada, right_id)
    assert (await ada.get(f"submissions/{right_id}")).data["verdicts"][0]["outcome"] == "passed"

    submissions = (await ada.get(f"classrooms/{CLASSROOM}/submissions?lesson={tiny_course.LESSON}")).data["submissions"]
    assert [submission["id"] for submission in submissions] == [right_id, wrong_id]
    assert (await ada.get(f"classrooms/{CLASSROOM}/outline")).data["points"] > 0
    assert (await ada.get("outbox")).data == {"waiting": [], "rejected": []}


async def test_rejection_of_the_service_is_passed_on_unchanged(ada: Lab, live: RunningService) -> None:
    """Apart from the request id, which is that of the request to the user's server."""
    for path in (f"classrooms/{CLASSROOM}/outline", "classrooms/nowhere/events"):
        reply = await ada.get(path)
        rejection = await live.student("ada").get(f"api/{path}", 404)
        assert (reply.status, reply.data) == (404, rejection | {"request_id": reply.headers["X-Request-Id"]})
