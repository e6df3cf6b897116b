"""The extension with the real service, a real hub's tokens and real grading: what the small service of the other tests stands for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from pmh_jupyter.server_extension.event_client import open_stream
from tests.support import tiny_course
from tests.support.hub.bare_hub import BareHub, running_bare_hub
from tests.support.lab.server import Lab
from tests.support.notebooks import answer
from tests.support.service.service_process import (
    CODES,
    ROOM,
    Role,
    RunningService,
    fill,
    running_service,
    settings_for,
)

LESSON = f"classrooms/{ROOM}/lessons/{tiny_course.LESSON}"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareHub]:
    with running_bare_hub(tmp_path_factory.mktemp("bare-hub")) as hub:
        yield hub


@pytest.fixture
async def live(tmp_path: Path, hub: BareHub) -> AsyncIterator[RunningService]:
    settings = settings_for(tmp_path / "data")
    fill(settings)
    async with running_service(settings, hub) as running:
        yield running


@pytest.fixture
async def ada(live: RunningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", live.student("ada").token)
    root = tmp_path / "root"
    root.mkdir()
    lab = await Lab(root, tmp_path / "home" / ".pmh", live.base).start()
    yield lab
    await lab.stop()


async def graded(lab: Lab, work: str) -> None:
    """Waits until the stream tells of it."""
    headers = {"Authorization": "token ada-token"}
    url = f"{lab.url}/classrooms/{ROOM}/events?after=0"
    seen = ""
    async with open_stream(url, headers, connect_timeout=10, idle_timeout=60) as stream:
        async for chunk in stream.chunks:
            seen += chunk.decode()
            whole = [
                line[6:] for line in seen.splitlines(keepends=True) if line.startswith("data: ") and line.endswith("\n")
            ]
            events = [json.loads(line) for line in whole]
            if any(event["kind"] == "submission-graded" and event["data"]["submission_id"] == work for event in events):
                return
    raise AssertionError(f"the stream ended before {work} was graded: {seen}")


async def test_a_student_opens_checks_and_hands_in(ada: Lab) -> None:
    assert (await ada.get("status")).data["is_reachable"] is True
    assert (await ada.get("me")).data["classrooms"] == []
    assert (await ada.post("join", {"join_code": "no-such-code"})).status >= 400
    assert (await ada.post("join", {"join_code": CODES[Role.STUDENT]})).data["slug"] == ROOM

    opened = (await ada.post(f"{LESSON}/open")).data
    again = (await ada.post(f"{LESSON}/open")).data
    assert again == opened and opened["merge"] is None
    notebook = ada.root / opened["notebooks"][0]

    wrong = str(uuid4())
    notebook.write_bytes(answer(notebook.read_bytes(), "two", "two = 3"))
    assert (await ada.post(f"{LESSON}/checks", {"id": wrong, "exercises": ["two"]})).data["state"] in (
        "queued",
        "running",
    )
    await graded(ada, wrong)
    assert (await ada.get(f"submissions/{wrong}")).data["verdicts"][0]["outcome"] == "failed"

    right = str(uuid4())
    notebook.write_bytes(answer(notebook.read_bytes(), "two", "two = 2"))
    sent = (await ada.post(f"{LESSON}/submissions", {"id": right})).data
    assert sent["receipt"]["submission_id"] == right
    assert (await ada.post(f"{LESSON}/submissions", {"id": right})).data["receipt"] == sent["receipt"]
    await graded(ada, right)
    assert (await ada.get(f"submissions/{right}")).data["verdicts"][0]["outcome"] == "passed"

    listed = (await ada.get(f"classrooms/{ROOM}/submissions?lesson={tiny_course.LESSON}")).data["submissions"]
    assert [work["id"] for work in listed] == [right, wrong]
    assert (await ada.get(f"classrooms/{ROOM}/outline")).data["points"] > 0
    assert (await ada.get("outbox")).data == {"waiting": [], "refused": []}


async def test_what_the_service_refuses_keeps_its_words(ada: Lab) -> None:
    reply = await ada.get(f"classrooms/{ROOM}/outline")
    assert reply.status in (403, 404)
    assert reply.data["request_id"] == reply.headers["X-Request-Id"]
    assert (await ada.get("classrooms/nowhere/events")).status in (403, 404)
