"""What is refused, and that every refusal has the one shape (the caller asserts it on each answer)."""

from __future__ import annotations

import asyncio
import socket
import uuid
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.service.rate_limit import RateLimit
from tests.support import tiny_course
from tests.support.hub.bare_hub import BareHub
from tests.support.service.service_process import (
    CLASSROOM,
    ServiceClient,
    RunningService,
    prepare_database,
    running_service,
    make_settings,
)

LESSON = f"api/classrooms/{CLASSROOM}/lessons/{tiny_course.LESSON}"
RELEASE = "0" * 64


def check_body(**more: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "release": RELEASE, "files": []} | more


@pytest.fixture
async def ada(live: RunningService) -> ServiceClient:
    ada = live.student("ada")
    await ada.join()
    return ada


async def test_addresses_that_are_not_there(live: RunningService) -> None:
    somebody = live.anonymous()
    for path in ("", "nothing", "api/nothing", "api/work/not-a-uuid", "api/classrooms/No_Slug/outline", "static/none"):
        if path:
            assert (await somebody.call("GET", path, 404)).status_code == 404
    await somebody.call("GET", "../../elsewhere", 404)


async def test_methods_that_are_not_taken(live: RunningService) -> None:
    somebody = live.anonymous()
    reply = await somebody.call("DELETE", "api/me", 405)
    assert (reply.json()["code"], reply.headers["Allow"]) == ("method-not-allowed", "GET")
    await somebody.call("POST", "health", 405)
    await somebody.call("BREW", "api/me", 405)


async def test_bodies_that_do_not_fit(ada: ServiceClient) -> None:
    file = tiny_course.content("a.ipynb", b"{}")
    bad: list[tuple[Any, str]] = [
        ([], "the body"),
        (check_body(release="short"), "release"),
        (check_body(extra=1), "extra"),
        (check_body(files=[file | {"sha256": RELEASE}]), "damaged"),
        (check_body(files=[file | {"content": "§"}]), "base64"),
        (check_body(files=[file | {"path": "../x"}]), "not a path within"),
        (check_body(files=[file | {"path": "/etc/passwd"}]), "not a path within"),
        (check_body(files=[file, file]), "twice"),
        (check_body(exercises=["a\x00b"]), "NUL"),
    ]
    for body, told in bad:
        reply = await ada.post(f"{LESSON}/checks", body, 400)
        assert reply["code"] == "bad-input" and told in reply["message"], reply
    reply = await ada.call("POST", f"{LESSON}/checks", 400, content=b"{not json")
    assert "not json" not in reply.text
    for query in ("page=0", "page=x", "page=99999999999999999999"):
        await ada.get(f"api/classrooms/{CLASSROOM}/events?after={query.partition('=')[2]}x", 400)


async def test_a_release_that_the_lesson_never_had(ada: ServiceClient) -> None:
    assert (await ada.post(f"{LESSON}/checks", check_body(), 409))["code"] == "conflict"
    await ada.call("PUT", f"{LESSON}/opened", 409, json={"release": RELEASE})
    await ada.get(f"api/classrooms/{CLASSROOM}/lessons/none/files", 404)
    await ada.get("api/classrooms/other/outline", 404)


async def test_a_body_over_the_limit_is_refused_and_heard_to_the_end(tmp_path: Path, hub: BareHub) -> None:
    settings = make_settings(tmp_path / "data", body_limit_mb=1)
    prepare_database(settings)
    async with running_service(settings, hub) as live:
        ada = live.student("ada")
        await ada.join()
        big = b'{"x": "' + b"a" * (2 << 20) + b'"}'
        assert (await ada.call("POST", f"{LESSON}/checks", 413, content=big)).json()["code"] == "too-large"

        async def in_pieces() -> Any:
            for _ in range(32):
                yield b"a" * (1 << 16)

        reply = await ada.call("POST", f"{LESSON}/checks", 413, content=in_pieces())
        assert "1 MiB" in reply.json()["message"]
        await live.anonymous().call("POST", "api/join", 413, content=big)


async def test_rates_are_for_each_person(live: RunningService, ada: ServiceClient) -> None:
    bob = live.student("bob")
    now = 0.0
    for rate in (RateLimit(3, lambda: now),):
        object.__setattr__(live.service, "requests", rate)
    for _ in range(3):
        await ada.get("api/me")
    reply = await ada.call("GET", "api/me", 429)
    assert reply.json()["code"] == "too-many-requests"
    assert int(reply.headers["Retry-After"]) == 20
    await bob.get("api/me")
    now = 20.0
    await ada.get("api/me")


async def test_checks_have_a_rate_of_their_own(tmp_path: Path, hub: BareHub) -> None:
    settings = make_settings(tmp_path / "data", checks_per_minute=1)
    prepare_database(settings)
    async with running_service(settings, hub) as live:
        ada = live.student("ada")
        await ada.join()
        await ada.post(f"{LESSON}/checks", check_body(), 429)
        await ada.get("api/me")


async def test_request_ids_are_kept_if_they_are_sane(ada: ServiceClient) -> None:
    for offered, kept in (("panel-4711", True), ("a" * 65, False), ("with space", False), ("short", False)):
        reply = await ada.call("GET", "api/me", 200, headers={"X-Request-ID": offered})
        assert (reply.headers["X-Request-ID"] == offered) is kept


async def test_courses_are_released_by_those_who_may(live: RunningService, ada: ServiceClient) -> None:
    teacher = live.student("teacher")  # a server's token may author; the role decides
    path = f"api/courses/{tiny_course.SLUG}"
    found = await teacher.post(f"{path}/validate", tiny_course.upload())
    assert (found["lessons"], found["releases"][0]["exercises"], found["tried"]) == ([tiny_course.LESSON], 2, True)
    changed = tiny_course.NOTEBOOK.replace("# Sums", "# Sums, revised")
    done = await teacher.post(f"{path}/releases", tiny_course.upload(CLASSROOM, text=changed), 201)
    assert (done["version"], done["lessons"][0]["changed"]) == (2, True)
    outline = await teacher.get(f"api/classrooms/{CLASSROOM}/outline")
    assert outline["units"][0]["lessons"][0]["release"] == done["lessons"][0]["release"]

    await ada.post(f"{path}/validate", tiny_course.upload(), 403)
    await ada.post(f"{path}/releases", tiny_course.upload(CLASSROOM), 403)
    await teacher.post(f"{path}/releases", tiny_course.upload("elsewhere"), 403)
    await teacher.post("api/courses/another/releases", tiny_course.upload(), 400)


async def test_a_faulty_course_is_answered_with_all_of_its_faults(live: RunningService) -> None:
    teacher = live.student("teacher")
    faulty = tiny_course.NOTEBOOK.replace("grade_id: three,", "grade_id: two,").replace("points: 1", "points: -1")
    for path in ("validate", "releases"):
        reply = await teacher.post(f"api/courses/tiny/{path}", tiny_course.upload(text=faulty), 422)
        assert reply["code"] == "invalid-course"
        assert len(reply["problems"]) >= 2
        assert all(problem["file"] and problem["remedy"] for problem in reply["problems"])


async def test_a_solution_that_fails_is_found_by_grading_it(live: RunningService) -> None:
    teacher = live.student("teacher")
    wrong = tiny_course.NOTEBOOK.replace("two = 1 + 1", "two = 1 + 2")
    assert wrong != tiny_course.NOTEBOOK
    reply = await teacher.post("api/courses/tiny/validate", tiny_course.upload(text=wrong), 422)
    assert [problem["cell"] for problem in reply["problems"]] == ["two"]
    assert "Its own solution does not pass" in reply["problems"][0]["message"]


async def test_one_person_cannot_take_all_streams(live: RunningService, ada: ServiceClient) -> None:
    taken = [asyncio.create_task(_first(ada)) for _ in range(12)]
    open_streams = [await task for task in taken]
    assert (await ada.get(f"api/classrooms/{CLASSROOM}/events", 429))["code"] == "too-many-requests"
    for stream in open_streams:
        await stream.aclose()


async def _first(ada: ServiceClient) -> Any:
    stream = ada.stream_events()
    assert await anext(stream)
    return stream


async def test_broken_http_breaks_nothing(live: RunningService) -> None:
    address = ("127.0.0.1", live.service.settings.service_port)
    for raw in (
        b"\x00\x01\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"POST /services/pmh/api/join HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ):

        def send(raw: bytes = raw) -> bytes:
            with socket.create_connection(address, timeout=10) as connection:
                connection.sendall(raw)
                connection.shutdown(socket.SHUT_WR)
                return connection.recv(1000)

        await asyncio.to_thread(send)
    await live.anonymous().get("health")
