"""Runs the service for tests, in this process or as a subprocess, with a real database and a real hub; and a client that calls it.

`ServiceClient` asserts on every response what must hold for all responses.
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
from pmh_jupyter.service.bootstrap import add_member, ensure_classroom
from pmh_jupyter.service.context import ServiceContext
from pmh_jupyter.service.course_releases import release_without_sandbox
from pmh_jupyter.storage.database import Database
from pmh_jupyter.wire.base import ErrorReply
from tests.support import tiny_course
from tests.support.hub.bare_hub import BareHub
from tests.support.hub.hub_process import free_ports

CLASSROOM = "physics"
LESSON_PATH = f"api/classrooms/{CLASSROOM}/lessons/{tiny_course.LESSON}"
JOIN_CODES = {Role.STUDENT: "student-code", Role.INSTRUCTOR: "teacher-code"}
TIMEOUT_SECONDS = 60.0


def make_settings(folder: Path, database_url: str = "", **values: Any) -> Settings:
    """Return settings of a service with its own data folder and a free port."""
    (settings,) = make_shared_settings(folder, database_url, 1, **values)
    return settings


def make_shared_settings(folder: Path, database_url: str, count: int, **values: Any) -> list[Settings]:
    """Return settings of several service processes with the same database and data folder, each on a different free port."""
    return [
        Settings(data_dir=str(folder), database_url=database_url, service_port=port, grading_workers=2, **values)
        for port in free_ports(count)
    ]


def prepare_database(settings: Settings) -> None:
    """Migrate the database, and add the tiny course and a classroom with join codes and the instructor `teacher`."""
    with Database(settings.resolved_database_url).open() as database:
        database.upgrade(settings.data_path / "backups")
        release_without_sandbox(database, tiny_course.course_files())
        ensure_classroom(database, CLASSROOM, "Physics", "Europe/Zurich", tiny_course.SLUG, JOIN_CODES)
        add_member(database, "teacher", CLASSROOM, Role.INSTRUCTOR)


@dataclass
class ServiceClient:
    """Calls the service with a token, or anonymously."""

    base_url: str
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, status: int, **arguments: Any) -> httpx.Response:
        """Send one request; assert the status, and what must hold for all responses."""
        headers = self.headers | ({"Authorization": f"token {self.token}"} if self.token else {})
        headers |= arguments.pop("headers", {})
        async with httpx.AsyncClient(timeout=60) as client:
            response = await client.request(method, f"{self.base_url}/{path}", headers=headers, **arguments)
        check_response(response)
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text[:2000]}"
        return response

    async def get(self, path: str, status: int = 200, **arguments: Any) -> Any:
        return (await self.call("GET", path, status, **arguments)).json()

    async def post(self, path: str, body: Any, status: int = 200, **arguments: Any) -> Any:
        return (await self.call("POST", path, status, json=body, **arguments)).json()

    # --- Actions of a student -----------------------------------------------------------------------------------------

    async def join(self, code: str = JOIN_CODES[Role.STUDENT]) -> None:
        await self.post("api/join", {"join_code": code})

    async def send_answers(self, kind: str, status: int, answers: Mapping[str, str], **values: Any) -> dict[str, Any]:
        """Send the tiny lesson with these answers to the route `checks` or `submissions`. `values` replace parts of the body."""
        release = (await self.get(f"{LESSON_PATH}/files"))["current"]
        files = tiny_course.fill_answers(release, **answers)
        body = {"id": str(uuid.uuid4()), "release_id": release["id"], "files": files} | values
        reply: dict[str, Any] = await self.post(f"{LESSON_PATH}/{kind}", body, status)
        return reply

    async def check(self, **answers: str) -> dict[str, Any]:
        return await self.send_answers("checks", 202, answers)

    async def submit(self, **answers: str) -> dict[str, Any]:
        return await self.send_answers("submissions", 201, answers)

    async def wait_until_graded(self, submission_id: str) -> dict[str, Any]:
        """Wait for the event that the submission is graded, then return the submission."""
        await self.read_events_until(
            lambda event: event["kind"] == "submission-graded" and event["data"]["submission_id"] == submission_id
        )
        reply: dict[str, Any] = await self.get(f"api/submissions/{submission_id}")
        return reply

    async def read_events_until(
        self, is_last: Callable[[dict[str, Any]], bool], after: int = 0
    ) -> list[dict[str, Any]]:
        """Read the stream after this event number, up to and including the first event for which `is_last` is true."""
        events = []
        async with aclosing(self.stream_events(after)) as stream:
            async for event in stream:
                events.append(event)
                if is_last(event):
                    break
        return events

    async def stream_events(self, after: int = 0, classroom: str = CLASSROOM) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the stream's events after this number. Ends with the connection; fails after a minute without data."""
        headers = {"Authorization": f"token {self.token}", "Last-Event-ID": str(after)}
        url = f"{self.base_url}/api/classrooms/{classroom}/events"
        async with httpx.AsyncClient(timeout=httpx.Timeout(10, read=TIMEOUT_SECONDS)) as client:
            async with client.stream("GET", url, headers=headers) as response:
                assert response.status_code == 200
                assert response.headers["Content-Type"] == "text/event-stream"
                async for line in response.aiter_lines():
                    if line.startswith("data: "):
                        yield json.loads(line.removeprefix("data: "))


def check_response(response: httpx.Response) -> None:
    """Assert what must hold for every response of the service."""
    assert re.fullmatch(r"[A-Za-z0-9._-]{6,64}", response.headers["X-Request-ID"])
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Server" not in response.headers
    if (
        response.status_code >= 400
        and response.headers["Content-Type"] == "application/json"
        and "/ready" not in str(response.url)
    ):
        error = ErrorReply.model_validate_json(response.content)
        assert error.code
        assert error.message
        assert error.advice
        assert error.request_id == response.headers["X-Request-ID"]
        assert "Traceback" not in response.text
    if response.status_code in (429, 503) and "/ready" not in str(response.url):
        assert int(response.headers["Retry-After"]) >= 1


@dataclass
class RunningService:
    """A service in this process, and clients for it."""

    service: ServiceContext
    hub: BareHub

    @property
    def base_url(self) -> str:
        return self.service.settings.resolved_service_url

    def student(self, name: str) -> ServiceClient:
        """Return a client with the token of this person's server."""
        return ServiceClient(self.base_url, self.hub.token(name, self.hub.server_scopes))

    def staff(self, name: str) -> ServiceClient:
        """Return a client with a token that this person has created for the routes of staff."""
        return ServiceClient(self.base_url, self.hub.token(name, [*self.hub.server_scopes, "custom:pmh:teach"]))

    def anonymous(self) -> ServiceClient:
        return ServiceClient(self.base_url)


@asynccontextmanager
async def running_service(settings: Settings, hub: BareHub) -> AsyncIterator[RunningService]:
    """Run the service in this process and its event loop."""
    async with process.run_service(settings, hub.service_environ()) as service:
        yield RunningService(service, hub)


@contextmanager
def service_process(settings: Settings, hub: BareHub) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m pmh_jupyter.service` as a subprocess, which is killed at the end."""
    environ = os.environ | hub.service_environ() | settings.to_environ()
    log = settings.data_path.parent / f"{settings.data_path.name}-{settings.service_port}.log"
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pmh_jupyter.service"], env=environ, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not _is_alive(settings):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-4000:]
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
