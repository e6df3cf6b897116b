"""A small service that keeps the contract of the routes a user's server needs: real HTTP, state in memory, faults on demand.

It can be killed and started again on the same port with its state, answer with errors, and lose an answer after it has acted.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from pmh_jupyter.wire.base import ErrorReply, FileContent, WireModel
from pmh_jupyter.wire.people import JoinRequest
from pmh_jupyter.wire.submission import (
    CheckRequest,
    EventReply,
    LessonFilesReply,
    OpenedReleaseRequest,
    Receipt,
    StudentRelease,
    SubmissionListReply,
    SubmissionReply,
    SubmitRequest,
)

TOKEN = "the-owner's-token"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PERSON = UUID("11111111-1111-4111-8111-111111111111")


def content(path: str, data: bytes) -> FileContent:
    return FileContent(path=path, sha256=sha256(data).hexdigest(), content=base64.b64encode(data).decode())


def release(lesson: str, files: dict[str, bytes]) -> StudentRelease:
    """A release whose id depends on its files."""
    listing = json.dumps({name: sha256(data).hexdigest() for name, data in sorted(files.items())})
    contents = tuple(content(name, data) for name, data in files.items())
    return StudentRelease(id=sha256(listing.encode()).hexdigest(), lesson=lesson, files=contents)


@dataclass
class Fault:
    """What to do instead of answering: a status with a body; act and then hang up; act and never answer."""

    status: int = 0
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    hold: bool = False


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    query: str
    request_id: str
    last_event_id: str


class Service:
    """The state, and the server in front of it."""

    def __init__(self) -> None:
        self.releases: dict[str, list[StudentRelease]] = {}
        self.opened: dict[str, str] = {}
        self.work: dict[UUID, SubmissionReply] = {}
        self.received: list[CheckRequest | SubmitRequest] = []
        self.joined: list[str] = []
        self.events: list[EventReply] = []
        self.streams: set[EventsHandler] = set()
        self.faults: list[tuple[str, Fault]] = []
        self.seen: list[Seen] = []
        self.hang_up_at_once = False
        self.port = 0
        self._server: HTTPServer | None = None
        self._changed = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/pmh"

    def start(self) -> None:
        sockets = bind_sockets(self.port, "127.0.0.1", reuse_port=False)
        self.port = sockets[0].getsockname()[1]
        self._server = HTTPServer(Application(ROUTES, service=self), max_buffer_size=200 << 20)
        self._server.add_sockets(sockets)

    async def kill(self) -> None:
        """Stops answering: refuses connections, and breaks those that are open."""
        assert self._server is not None
        self._server.stop()
        for stream in list(self.streams):
            stream.break_off()
        await self._server.close_all_connections()
        self._server = None

    async def stop(self) -> None:
        if self._server is not None:
            await self.kill()

    def fail(self, path: str, status: int, reply: ErrorReply | None = None, *, times: int = 1, **headers: str) -> None:
        """Answers the next requests whose path ends so with a failure."""
        body = reply.model_dump_json() if reply else "<html>Bad gateway</html>"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults += [(path, Fault(status, body, named))] * times

    def hang_up_after(self, path: str, times: int = 1) -> None:
        """Acts on the next requests whose path ends so, then hangs up instead of answering."""
        self.faults += [(path, Fault(hang_up=True))] * times

    def hold(self, path: str) -> None:
        """Acts on the next request whose path ends so, and never answers it."""
        self.faults.append((path, Fault(hold=True)))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for requests to make something true."""
        async with asyncio.timeout(30):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def changed(self) -> None:
        """Something was received, or a stream came or went."""
        self._changed.set()

    def deliveries(self) -> Counter[UUID]:
        """How often each piece of work arrived."""
        return Counter(request.id for request in self.received)

    def publish(self, lesson: str, files: dict[str, bytes]) -> StudentRelease:
        """Adopts a release of a lesson."""
        published = release(lesson, files)
        self.releases.setdefault(lesson, []).append(published)
        return published

    def tell(self, kind: str = "submission-graded", **data: str) -> EventReply:
        """Adds an event and sends it to whoever listens."""
        event = EventReply(number=len(self.events) + 1, kind=kind, occurred_at=NOW, data=dict(data))
        self.events.append(event)
        for stream in self.streams:
            stream.waiting.put_nowait(event)
        return event

    def beat(self, text: str = "beat") -> None:
        """A comment to whoever listens, as the service sends it to keep a stream open."""
        for stream in self.streams:
            stream.waiting.put_nowait(f": {text}\n\n")

    def accept(self, classroom: str, lesson: str, request: CheckRequest | SubmitRequest) -> SubmissionReply:
        """Records work once, however often it arrives."""
        self.received.append(request)
        if request.id not in self.work:
            check = isinstance(request, CheckRequest)
            self.work[request.id] = SubmissionReply(
                id=request.id,
                kind="check" if check else "final",
                classroom=classroom,
                lesson=lesson,
                release_id=request.release_id,
                state="queued",
                received_at=NOW,
                receipt=None if check else _receipt(classroom, lesson, request),
            )
        self.changed()
        return self.work[request.id]


def _receipt(classroom: str, lesson: str, request: CheckRequest | SubmitRequest) -> Receipt:
    return Receipt(
        submission_id=request.id,
        person_id=PERSON,
        classroom=classroom,
        lesson=lesson,
        release_id=request.release_id,
        content_hash=sha256("".join(file.sha256 for file in request.files).encode()).hexdigest(),
        received_at=NOW,
        code="7KQM-2XWD",
        key_id="k1",
        signature="c2lnbmF0dXJl",
    )


class Handler(RequestHandler):
    """Checks the token, records the request, and applies a fault if one was ordered."""

    fault: Fault | None = None

    @property
    def service(self) -> Service:
        return self.settings["service"]

    def prepare(self) -> None:
        headers = self.request.headers
        seen = Seen(
            str(self.request.method),
            self.request.path,
            self.request.query,
            headers.get("X-Request-ID", ""),
            headers.get("Last-Event-ID", ""),
        )
        self.service.seen.append(seen)
        if self.service.hang_up_at_once:
            self.request.connection.stream.close()  # type: ignore[attr-defined]
        for number, (path, fault) in enumerate(self.service.faults):
            if self.request.path.endswith(path):
                del self.service.faults[number]
                self._apply(fault)
                return
        if headers.get("Authorization") != f"token {TOKEN}":
            self.refuse(401, "not-logged-in", "The Hub does not know this token.")

    def _apply(self, fault: Fault) -> None:
        if fault.hang_up or fault.hold:
            self.fault = fault
            return
        self.set_status(fault.status)
        for name, value in fault.headers.items():
            self.set_header(name, value)
        self.finish(fault.body)

    def reply(self, message: WireModel | None, status: int = 200) -> None:
        self.set_status(status)
        self.say(None if message is None else message.model_dump(mode="json"))

    def say(self, data: Any) -> None:
        """Answers, unless it was ordered to hang up."""
        if self.fault is not None and self.fault.hold:
            self._auto_finish = False
        elif self.fault is not None:
            self.request.connection.stream.close()  # type: ignore[attr-defined]
        elif data is None:
            self.finish()
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps(data))

    def refuse(self, status: int, code: str, message: str) -> None:
        self.set_status(status)
        self.finish(ErrorReply(code=code, message=message, advice="As you see fit.").model_dump_json())


class HealthHandler(Handler):
    def get(self) -> None:
        self.finish("alive")


class SayHandler(Handler):
    """Routes that are only handed on: what they say does not matter, that it arrives unchanged does."""

    def get(self, *path: str) -> None:
        self.say({"path": self.request.path, "query": self.request.query})


class JoinHandler(Handler):
    def post(self) -> None:
        self.service.joined.append(JoinRequest.model_validate_json(self.request.body).join_code)
        self.say({"slug": "physics-1"})


class FilesHandler(Handler):
    def get(self, classroom: str, lesson: str) -> None:
        releases = self.service.releases.get(lesson)
        if not releases:
            self.refuse(404, "not-found", "There is no such lesson.")
            return
        opened = self.service.opened.get(lesson)
        base = next((release for release in releases if release.id == opened), None)
        self.reply(LessonFilesReply(current=releases[-1], base=base))


class OpenedHandler(Handler):
    def put(self, classroom: str, lesson: str) -> None:
        self.service.opened[lesson] = OpenedReleaseRequest.model_validate_json(self.request.body).release_id
        self.reply(None, 204)


class ChecksHandler(Handler):
    def post(self, classroom: str, lesson: str) -> None:
        request = CheckRequest.model_validate_json(self.request.body)
        self.reply(self.service.accept(classroom, lesson, request), 202)


class SubmissionsHandler(Handler):
    def post(self, classroom: str, lesson: str) -> None:
        request = SubmitRequest.model_validate_json(self.request.body)
        self.reply(self.service.accept(classroom, lesson, request), 201)


class WorkHandler(Handler):
    def get(self, id: str) -> None:
        self.reply(self.service.work[UUID(id)])


class WorkListHandler(Handler):
    def get(self, classroom: str) -> None:
        self.reply(SubmissionListReply(submissions=tuple(self.service.work.values())))


class EventsHandler(Handler):
    """Server-sent events: what was missed, then what comes."""

    async def get(self, classroom: str) -> None:
        self.waiting: asyncio.Queue[EventReply | str | None] = asyncio.Queue()
        after = int(self.request.headers.get("Last-Event-ID") or self.get_query_argument("after", "0"))
        self.set_header("Content-Type", "text/event-stream")
        self.service.streams.add(self)
        self.service.changed()
        for event in self.service.events[after:]:
            self.waiting.put_nowait(event)
        try:
            await self.flush()
            while (said := await self.waiting.get()) is not None:
                self.write(said if isinstance(said, str) else f"id: {said.number}\ndata: {said.model_dump_json()}\n\n")
                await self.flush()
        except StreamClosedError:
            return
        finally:
            self.service.streams.discard(self)
            self.service.changed()

    def break_off(self) -> None:
        """Loses the connection in the middle."""
        self.request.connection.stream.close()  # type: ignore[attr-defined]
        self.waiting.put_nowait(None)

    def on_connection_close(self) -> None:
        self.waiting.put_nowait(None)


_CLASSROOM = r"/services/pmh/api/classrooms/([^/]+)"
ROUTES = [
    (r"/services/pmh/health", HealthHandler),
    (r"/services/pmh/api/me", SayHandler),
    (r"/services/pmh/api/join", JoinHandler),
    (r"/services/pmh/api/submissions/([^/]+)", WorkHandler),
    (_CLASSROOM + r"/outline", SayHandler),
    (_CLASSROOM + r"/submissions", WorkListHandler),
    (_CLASSROOM + r"/events", EventsHandler),
    (_CLASSROOM + r"/lessons/([^/]+)/files", FilesHandler),
    (_CLASSROOM + r"/lessons/([^/]+)/opened", OpenedHandler),
    (_CLASSROOM + r"/lessons/([^/]+)/checks", ChecksHandler),
    (_CLASSROOM + r"/lessons/([^/]+)/submissions", SubmissionsHandler),
]
