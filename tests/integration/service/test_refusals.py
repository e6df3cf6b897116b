"""Requests that the service rejects. `ServiceClient` asserts on each response that the error has the common form."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.service.event_broadcaster import MAX_STREAMS_PER_PERSON
from pmh_jupyter.service.rate_limit import RateLimit
from tests.support import tiny_course
from tests.support.hub.bare_hub import BareHub
from tests.support.service.service_process import (
    CLASSROOM,
    LESSON_PATH,
    RunningService,
    ServiceClient,
    make_settings,
    prepare_database,
    running_service,
)

COURSE_PATH = f"api/courses/{tiny_course.SLUG}"
UNKNOWN_RELEASE_ID = "0" * 64


def check_body(**values: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "release_id": UNKNOWN_RELEASE_ID, "files": []} | values


@pytest.fixture
async def ada(live: RunningService) -> ServiceClient:
    ada = live.student("ada")
    await ada.join()
    return ada


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "api/nothing",
        "api/submissions/not-a-uuid",
        "api/classrooms/No_Slug/outline",
        "static/none",
        "../../elsewhere",
    ],
)
async def test_unknown_path_is_not_found(live: RunningService, path: str) -> None:
    await live.anonymous().call("GET", path, 404)


async def test_unsupported_method_is_rejected(live: RunningService) -> None:
    client = live.anonymous()
    response = await client.call("DELETE", "api/me", 405)
    assert (response.json()["code"], response.headers["Allow"]) == ("method-not-allowed", "GET")
    await client.call("POST", "health", 405)
    await client.call("BREW", "api/me", 405)


FILE = tiny_course.content("a.ipynb", b"{}")
# The invalid body and a part of the message or of a problem, by what is wrong with it.
INVALID_BODIES: dict[str, tuple[Any, str]] = {
    "list": ([], "body"),
    "short release id": (check_body(release_id="short"), "release_id"),
    "unknown field": (check_body(extra=1), "extra"),
    "wrong digest": (check_body(files=[FILE | {"sha256": UNKNOWN_RELEASE_ID}]), "damaged"),
    "no base64": (check_body(files=[FILE | {"content": "§"}]), "base64"),
    "parent folder": (check_body(files=[FILE | {"path": "../x"}]), "not a path within"),
    "absolute path": (check_body(files=[FILE | {"path": "/etc/passwd"}]), "not a path within"),
    "same file twice": (check_body(files=[FILE, FILE]), "twice"),
    "null byte": (check_body(exercises=["a\x00b"]), "NUL"),
}


@pytest.mark.parametrize(("body", "reason"), INVALID_BODIES.values(), ids=INVALID_BODIES.keys())
async def test_invalid_body_is_rejected_with_its_reason(ada: ServiceClient, body: Any, reason: str) -> None:
    error = await ada.post(f"{LESSON_PATH}/checks", body, 400)
    assert error["code"] == "bad-input"
    assert reason in " ".join([error["message"], *(problem["message"] for problem in error["problems"])])


async def test_body_that_is_not_json_is_rejected_without_repeating_it(ada: ServiceClient) -> None:
    response = await ada.call("POST", f"{LESSON_PATH}/checks", 400, content=b"{not json")
    assert "not json" not in response.text


@pytest.mark.parametrize("after", ["-1", "x", "1x", "9" * 20])
async def test_invalid_event_number_is_rejected(ada: ServiceClient, after: str) -> None:
    events_path = f"api/classrooms/{CLASSROOM}/events"
    await ada.get(f"{events_path}?after={after}", 400)
    await ada.get(events_path, 400, headers={"Last-Event-ID": after})


async def test_unknown_release_lesson_and_classroom_are_rejected(ada: ServiceClient) -> None:
    assert (await ada.post(f"{LESSON_PATH}/checks", check_body(), 409))["code"] == "conflict"
    await ada.call("PUT", f"{LESSON_PATH}/opened", 409, json={"release_id": UNKNOWN_RELEASE_ID})
    await ada.get(f"api/classrooms/{CLASSROOM}/lessons/none/files", 404)
    await ada.get("api/classrooms/other/outline", 404)


async def test_too_large_body_is_rejected_without_breaking_the_connection(tmp_path: Path, hub: BareHub) -> None:
    settings = make_settings(tmp_path / "data", body_limit_mb=1)
    prepare_database(settings)
    async with running_service(settings, hub) as live:
        ada = live.student("ada")
        await ada.join()
        body = b'{"x": "' + b"a" * (2 << 20) + b'"}'
        response = await ada.call("POST", f"{LESSON_PATH}/checks", 413, content=body)
        assert response.json()["code"] == "too-large"

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(32):
                yield b"a" * (1 << 16)

        response = await ada.call("POST", f"{LESSON_PATH}/checks", 413, content=chunks())
        assert "1 MiB" in response.json()["message"]
        await live.anonymous().call("POST", "api/join", 413, content=body)


async def test_request_rate_is_limited_per_person(live: RunningService, ada: ServiceClient) -> None:
    bob = live.student("bob")
    now = 0.0
    object.__setattr__(live.service, "request_rate_limit", RateLimit(3, lambda: now))
    for _ in range(3):
        await ada.get("api/me")
    response = await ada.call("GET", "api/me", 429)
    assert response.json()["code"] == "too-many-requests"
    assert int(response.headers["Retry-After"]) == 20
    await bob.get("api/me")
    now = 20.0
    await ada.get("api/me")


async def test_checks_and_joins_have_a_separate_rate_limit(tmp_path: Path, hub: BareHub) -> None:
    settings = make_settings(tmp_path / "data", checks_per_minute=1)
    prepare_database(settings)
    async with running_service(settings, hub) as live:
        ada = live.student("ada")
        await ada.join()
        await ada.post(f"{LESSON_PATH}/checks", check_body(), 429)
        await ada.get("api/me")


async def test_request_id_is_kept_only_if_it_is_safe(ada: ServiceClient) -> None:
    for request_id, is_kept in (("panel-4711", True), ("a" * 65, False), ("with space", False), ("short", False)):
        response = await ada.call("GET", "api/me", 200, headers={"X-Request-ID": request_id})
        assert (response.headers["X-Request-ID"] == request_id) is is_kept, request_id


async def test_only_instructors_can_validate_and_release_their_course(live: RunningService, ada: ServiceClient) -> None:
    await ada.post(f"{COURSE_PATH}/validate", tiny_course.upload(), 403)
    await ada.post(f"{COURSE_PATH}/releases", tiny_course.upload(CLASSROOM), 403)
    teacher = live.student("teacher")
    await teacher.post(f"{COURSE_PATH}/releases", tiny_course.upload("elsewhere"), 403)
    await teacher.post("api/courses/another/releases", tiny_course.upload(), 400)


async def test_invalid_course_is_rejected_with_all_problems(live: RunningService) -> None:
    teacher = live.student("teacher")
    duplicate_name = tiny_course.NOTEBOOK.replace("grade_id: three,", "grade_id: two,")
    invalid_notebook = duplicate_name.replace("points: 1", "points: -1")
    for action in ("validate", "releases"):
        error = await teacher.post(f"{COURSE_PATH}/{action}", tiny_course.upload(text=invalid_notebook), 422)
        assert error["code"] == "invalid-course", action
        assert len(error["problems"]) >= 2, (action, error)
        assert all(problem["file"] and problem["remedy"] for problem in error["problems"]), (action, error)


async def test_solution_that_fails_its_tests_is_rejected(live: RunningService) -> None:
    teacher = live.student("teacher")
    wrong_solution = tiny_course.NOTEBOOK.replace("two = 1 + 1", "two = 1 + 2")
    assert wrong_solution != tiny_course.NOTEBOOK
    error = await teacher.post(f"{COURSE_PATH}/validate", tiny_course.upload(text=wrong_solution), 422)
    assert [problem["cell"] for problem in error["problems"]] == ["two"]


async def test_event_streams_per_person_are_limited(live: RunningService, ada: ServiceClient) -> None:
    streams = await asyncio.gather(*(_open_stream(ada) for _ in range(MAX_STREAMS_PER_PERSON)))
    error = await ada.get(f"api/classrooms/{CLASSROOM}/events", 429)
    assert error["code"] == "too-many-requests"
    for stream in streams:
        await stream.aclose()


async def _open_stream(client: ServiceClient) -> Any:
    stream = client.stream_events()
    assert await anext(stream)
    return stream


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\x01\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"POST /services/pmh/api/join HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ],
)
async def test_malformed_http_is_answered_with_bad_request(live: RunningService, request_bytes: bytes) -> None:
    address = ("127.0.0.1", live.service.settings.service_port)
    response = await asyncio.to_thread(_send_raw, address, request_bytes)
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b"Traceback" not in response
    await live.anonymous().get("health")


def _send_raw(address: tuple[str, int], request: bytes) -> bytes:
    """Send bytes and read until the service closes the connection."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        response = b""
        while chunk := connection.recv(1000):
            response += chunk
        return response
