"""The service for tests: in this process or in one of its own, in front of a real database, asking a real hub; and who calls it.

`Caller` asserts on every answer what must hold for all of them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.service import process
from pmh_jupyter.service.bootstrap import add_member, ensure_classroom, load_course
from pmh_jupyter.service.context import Service
from pmh_jupyter.storage.database import Database
from pmh_jupyter.wire.base import ErrorReply
from tests.support import tiny_course
from tests.support.hub.bare_hub import BareHub
from tests.support.hub.hub_process import free_ports

CLASSROOM = "room"
JOIN_CODES = {Role.STUDENT: "student-code", Role.INSTRUCTOR: "teacher-code"}
TIMEOUT_SECONDS = 60.0


def make_settings(folder: Path, database_url: str = "", **more: Any) -> Settings:
    """Settings of a service of its own, on a free port."""
    (port,) = free_ports(1)
    return Settings(data_dir=str(folder), database_url=database_url, service_port=port, grading_workers=2, **more)


def prepare_database(settings: Settings) -> None:
    """A migrated database with the tiny course, a classroom, its join codes, and `teacher` as its instructor."""
    with Database(settings.resolved_database_url).open() as database:
        database.upgrade(settings.data_path / "backups")
        load_course(database, tiny_course.course_files())
        ensure_classroom(database, CLASSROOM, "Room", "Europe/Zurich", tiny_course.SLUG, JOIN_CODES)
        add_member(database, "teacher", CLASSROOM, Role.INSTRUCTOR)


@dataclass
class ServiceClient:
    """Somebody who calls the service with a token (or without)."""

    base_url: str
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, status: int, **arguments: Any) -> httpx.Response:
        """One request of the API, with what every answer must have, and the status that this one must have."""
        headers = self.headers | ({"Authorization": f"token {self.token}"} if self.token else {})
        headers |= arguments.pop("headers", {})
        async with httpx.AsyncClient(timeout=60) as client:
            reply = await client.request(method, f"{self.base_url}/{path}", headers=headers, **arguments)
        check_response(reply)
        assert reply.status_code == status, f"{method} {path}: {reply.status_code} {reply.text[:2000]}"
        return reply

    async def get(self, path: str, status: int = 200, **arguments: Any) -> Any:
        return (await self.call("GET", path, status, **arguments)).json()

    async def post(self, path: str, body: Any, status: int = 200, **arguments: Any) -> Any:
        return (await self.call("POST", path, status, json=body, **arguments)).json()

    # --- What a student does ------------------------------------------------------------------------------------------

    async def join(self, code: str = JOIN_CODES[Role.STUDENT]) -> None:
        await self.post("api/join", {"join_code": code})

    async def send_answers(self, kind: str, status: int, answers: Mapping[str, str], **more: Any) -> dict[str, Any]:
        """Sends a check or a submission of the tiny lesson, with these answers."""
        lesson = f"api/classrooms/{CLASSROOM}/lessons/{tiny_course.LESSON}"
        release = (await self.get(f"{lesson}/files"))["current"]
        files = tiny_course.answered(release, **answers)
        body = {"id": str(uuid.uuid4()), "release": release["id"], "files": files} | more
        reply: dict[str, Any] = await self.post(f"{lesson}/{kind}", body, status)
        return reply

    async def check(self, **answers: str) -> dict[str, Any]:
        return await self.send_answers("checks", 202, answers)

    async def submit(self, **answers: str) -> dict[str, Any]:
        return await self.send_answers("submissions", 201, answers)

    async def wait_until_graded(self, work: str) -> dict[str, Any]:
        """The work once it is graded, as the stream tells of it."""
        await self.read_events_until(lambda event: event["kind"] == "submission-graded" and event["data"]["work"] == work)
        reply: dict[str, Any] = await self.get(f"api/work/{work}")
        return reply

    async def read_events_until(self, last: Callable[[dict[str, Any]], bool], after: int = 0) -> list[dict[str, Any]]:
        """The stream's events from a number on, up to the first that is the `last`."""
        found = []
        async with aclosing(self.stream_events(after)) as stream:
            async for event in stream:
                found.append(event)
                if last(event):
                    break
        return found

    async def stream_events(self, after: int = 0, room: str = CLASSROOM) -> AsyncGenerator[dict[str, Any], None]:
        """The stream's events from a number on; ends with the connection, or fails after a minute without news."""
        headers = {"Authorization": f"token {self.token}", "Last-Event-ID": str(after)}
        timeout = httpx.Timeout(10, read=TIMEOUT_SECONDS)
        async with httpx.AsyncClient(timeout=timeout) as client:
            async with client.stream("GET", f"{self.base_url}/api/classrooms/{room}/events", headers=headers) as reply:
                assert reply.status_code == 200
                assert reply.headers["Content-Type"] == "text/event-stream"
                async for line in reply.aiter_lines():
                    if line.startswith("data: "):
                        yield json.loads(line.removeprefix("data: "))


def check_response(reply: httpx.Response) -> None:
    """What holds for every answer of the service."""
    assert re.fullmatch(r"[A-Za-z0-9._-]{6,64}", reply.headers["X-Request-ID"])
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    assert reply.headers["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert "Server" not in reply.headers
    if (
        reply.status_code >= 400
        and reply.headers["Content-Type"] == "application/json"
        and "/ready" not in str(reply.url)
    ):
        error = ErrorReply.model_validate_json(reply.content)
        assert error.code and error.message and error.advice
        assert error.request_id == reply.headers["X-Request-ID"]
        assert "Traceback" not in reply.text
    if reply.status_code in (429, 503) and "/ready" not in str(reply.url):
        assert int(reply.headers["Retry-After"]) >= 1


@dataclass
class RunningService:
    """A service in this process, with who calls it."""

    service: Service
    hub: BareHub

    @property
    def base_url(self) -> str:
        return self.service.settings.resolved_service_url

    def student(self, name: str) -> ServiceClient:
        """Somebody with the token of their own server."""
        return ServiceClient(self.base_url, self.hub.token(name, self.hub.server_scopes))

    def staff(self, name: str) -> ServiceClient:
        """Somebody with a token that was made on purpose for staff's routes."""
        return ServiceClient(self.base_url, self.hub.token(name, [*self.hub.server_scopes, "custom:pmh:teach"]))

    def anonymous(self) -> ServiceClient:
        return ServiceClient(self.base_url)


@asynccontextmanager
async def running_service(settings: Settings, hub: BareHub) -> AsyncIterator[RunningService]:
    """The service in this process and its event loop."""
    async with process.running_service(settings, hub.service_environ()) as service:
        yield RunningService(service, hub)


@contextmanager
def service_process(settings: Settings, hub: BareHub) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m pmh_jupyter.service` in a process of its own; killed at the end if it still runs."""
    environ = os.environ | hub.service_environ() | settings.to_environ()
    log = settings.data_path.parent / f"{settings.data_path.name}-{settings.service_port}.log"
    with open(log, "ab") as out:
        process = subprocess.Popen([sys.executable, "-m", "pmh_jupyter.service"], env=environ, stdout=out, stderr=out)
    try:
        end = time.monotonic() + TIMEOUT_SECONDS
        while not _is_alive(settings):
            assert process.poll() is None and time.monotonic() < end, log.read_text()[-4000:]
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def _is_alive(settings: Settings) -> bool:
    try:
        return httpx.get(f"{settings.resolved_service_url}/health").status_code == 200
    except httpx.TransportError:
        return False
