"""A small service with the routes that a user's server needs: real HTTP, state in memory, failures on demand.

It can be killed and started again on the same port with its state, reply with errors, and lose a reply after it has acted.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream, StreamClosedError
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


def file_content(path: str, data: bytes) -> FileContent:
    return FileContent(path=path, sha256=sha256(data).hexdigest(), content=base64.b64encode(data).decode())


def release(lesson: str, files: dict[str, bytes]) -> StudentRelease:
    """Return a release whose id depends on its files."""
    listing = json.dumps({name: sha256(data).hexdigest() for name, data in sorted(files.items())})
    contents = tuple(file_content(name, data) for name, data in files.items())
    return StudentRelease(id=sha256(listing.encode()).hexdigest(), lesson=lesson, files=contents)


@dataclass
class Failure:
    """What to do instead of replying: reply with `status` and `body`; act and then hang up; act and never reply (`hold`)."""

    status: int = 0
    body: str | bytes = ""
    headers: dict[str, str] = field(default_factory=dict)
    is_chunked: bool = False
    hang_up: bool = False
    hold: bool = False


@dataclass
class RecordedRequest:
    """A request that was received."""

    method: str
    path: str
    query: str
    request_id: str
    headers: HTTPHeaders
    client_port: int


class SmallService:
    """The state of the service and its HTTP server; with `tls`, its HTTPS server."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.releases: dict[str, list[StudentRelease]] = {}
        self.opened: dict[str, str] = {}
        self.submissions: dict[UUID, SubmissionReply] = {}
        self.received: list[CheckRequest | SubmitRequest] = []
        self.joined: list[str] = []
        self.events: list[EventReply] = []
        self.streams: set[EventsHandler] = set()
        self.failures: list[tuple[str, Failure]] = []
        self.requests: list[RecordedRequest] = []
        self.hangs_up_at_once = False
        self.set_cookie = ""
        self._tls = tls
        self.port = 0
        self._server: HTTPServer | None = None
        self._changed = asyncio.Event()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/services/pmh"

    def start(self) -> None:
        sockets = bind_sockets(self.port, "127.0.0.1", reuse_port=False)
        self.port = sockets[0].getsockname()[1]
        self._server = HTTPServer(Application(ROUTES, service=self), max_buffer_size=200 << 20, ssl_options=self._tls)
        self._server.add_sockets(sockets)

    async def kill(self) -> None:
        """Refuse connections and break open ones. The state remains."""
        assert self._server is not None
        self._server.stop()
        for stream in list(self.streams):
            stream.break_connection()
        await self._server.close_all_connections()
        self._server = None

    async def stop(self) -> None:
        if self._server is not None:
            await self.kill()

    def fail(self, path: str, status: int, reply: ErrorReply | None = None, *, times: int = 1, **headers: str) -> None:
        """Reply with an error to the next requests whose path ends with `path`; with HTML, like a proxy, if there is no reply."""
        body = reply.model_dump_json() if reply else "<html>Bad gateway</html>"
        reply_headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.failures += [(path, Failure(status, body, reply_headers))] * times

    def respond_with(self, path: str, body: bytes, status: int = 200, *, is_chunked: bool = False) -> None:
        """Respond with these bytes to the next request whose path ends with `path`; chunked, the length is not announced."""
        self.failures.append((path, Failure(status, body, is_chunked=is_chunked)))

    def hang_up_after(self, path: str, times: int = 1) -> None:
        """Act on the next requests whose path ends with `path`, then hang up instead of replying."""
        self.failures += [(path, Failure(hang_up=True))] * times

    def hold(self, path: str) -> None:
        """Act on the next request whose path ends with `path`, and never reply."""
        self.failures.append((path, Failure(hold=True)))

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until requests have made the condition true."""
        async with asyncio.timeout(30):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def count_connections(self) -> int:
        """Return the number of open connections."""
        return len(self._server._connections) if self._server else 0

    def notify(self) -> None:
        """Wake `wait_until`: a request was received, or a stream was opened or closed."""
        self._changed.set()

    def count_deliveries(self) -> Counter[UUID]:
        """How often each submission has arrived."""
        return Counter(request.id for request in self.received)

    def publish(self, lesson: str, files: dict[str, bytes]) -> StudentRelease:
        """Make a new release of a lesson the current one."""
        published = release(lesson, files)
        self.releases.setdefault(lesson, []).append(published)
        return published

    def add_event(self, kind: str = "submission-graded", **data: str) -> EventReply:
        """Add an event and send it to all open streams."""
        event = EventReply(number=len(self.events) + 1, kind=kind, occurred_at=NOW, data=dict(data))
        self.events.append(event)
        for stream in self.streams:
            stream.queue.put_nowait(event)
        return event

    def send_comment(self, text: str) -> None:
        """Send a comment to all open streams, as the service does to keep them open."""
        for stream in self.streams:
            stream.queue.put_nowait(f": {text}\n\n")

    def accept(self, classroom: str, lesson: str, request: CheckRequest | SubmitRequest) -> SubmissionReply:
        """Record a submission once, no matter how often it arrives."""
        self.received.append(request)
        if request.id not in self.submissions:
            is_check = isinstance(request, CheckRequest)
            self.submissions[request.id] = SubmissionReply(
                id=request.id,
                kind="check" if is_check else "final",
                classroom=classroom,
                lesson=lesson,
                release_id=request.release_id,
                state="queued",
                received_at=NOW,
                receipt=None if is_check else _receipt(classroom, lesson, request),
            )
        self.notify()
        return self.submissions[request.id]


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
    """Records the request, applies a failure if one is due, and checks the token."""

    failure: Failure | None = None

    @property
    def service(self) -> SmallService:
        service: SmallService = self.settings["service"]
        return service

    @property
    def stream(self) -> IOStream:
        """The connection of the request."""
        stream: IOStream = cast(Any, self.request.connection).stream
        return stream

    def prepare(self) -> None:
        headers = self.request.headers
        recorded = RecordedRequest(
            str(self.request.method),
            self.request.path,
            self.request.query,
            headers.get("X-Request-ID", ""),
            headers,
            self.stream.socket.getpeername()[1],
        )
        self.service.requests.append(recorded)
        if self.service.set_cookie:
            self.set_header("Set-Cookie", self.service.set_cookie)
        if self.service.hangs_up_at_once:
            self.stream.close()
        for number, (path, failure) in enumerate(self.service.failures):
            if self.request.path.endswith(path):
                del self.service.failures[number]
                self._apply(failure)
                return
        if headers.get("Authorization") != f"token {TOKEN}":
            self.refuse(401, "not-logged-in", "The Hub does not know this token.")

    def _apply(self, failure: Failure) -> None:
        if failure.hang_up or failure.hold:
            self.failure = failure
            return
        self.set_status(failure.status)
        for name, value in failure.headers.items():
            self.set_header(name, value)
        self.write(failure.body)
        if failure.is_chunked:
            self.flush()
        self.finish()

    def reply(self, message: WireModel | None, status: int = 200) -> None:
        self.set_status(status)
        self.respond(None if message is None else message.model_dump(mode="json"))

    def respond(self, data: Any) -> None:
        """Reply, unless the failure is to hang up or to hold the request."""
        if self.failure is not None and self.failure.hold:
            self._auto_finish = False
        elif self.failure is not None:
            self.stream.close()
        elif data is None:
            self.finish()
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps(data))

    def refuse(self, status: int, code: str, message: str) -> None:
        self.set_status(status)
        self.finish(ErrorReply(code=code, message=message, advice="Do something else.").model_dump_json())


class HealthHandler(Handler):
    def get(self) -> None:
        self.finish("alive")


class EchoHandler(Handler):
    """Routes that the extension only passes on: replies with path and query."""

    def get(self, *path: str) -> None:
        self.respond({"path": self.request.path, "query": self.request.query})


class JoinHandler(Handler):
    def post(self) -> None:
        self.service.joined.append(JoinRequest.model_validate_json(self.request.body).join_code)
        self.respond({"slug": "physics-1"})


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


class CheckHandler(Handler):
    def post(self, classroom: str, lesson: str) -> None:
        request = CheckRequest.model_validate_json(self.request.body)
        self.reply(self.service.accept(classroom, lesson, request), 202)


class SubmitHandler(Handler):
    def post(self, classroom: str, lesson: str) -> None:
        request = SubmitRequest.model_validate_json(self.request.body)
        self.reply(self.service.accept(classroom, lesson, request), 201)


class SubmissionHandler(Handler):
    def get(self, id: str) -> None:
        self.reply(self.service.submissions[UUID(id)])


class SubmissionListHandler(Handler):
    def get(self, classroom: str) -> None:
        self.reply(SubmissionListReply(submissions=tuple(self.service.submissions.values())))


class EventsHandler(Handler):
    """Server-sent events: missed ones first, then new ones."""

    async def get(self, classroom: str) -> None:
        self.queue: asyncio.Queue[EventReply | str | None] = asyncio.Queue()
        after = int(self.request.headers.get("Last-Event-ID") or self.get_query_argument("after", "0"))
        self.set_header("Content-Type", "text/event-stream")
        self.service.streams.add(self)
        self.service.notify()
        for event in self.service.events[after:]:
            self.queue.put_nowait(event)
        try:
            await self.flush()
            while (item := await self.queue.get()) is not None:
                self.write(item if isinstance(item, str) else f"id: {item.number}\ndata: {item.model_dump_json()}\n\n")
                await self.flush()
        except StreamClosedError:
            return
        finally:
            self.service.streams.discard(self)
            self.service.notify()

    def break_connection(self) -> None:
        """Break the connection in the middle of the stream."""
        self.stream.close()
        self.queue.put_nowait(None)

    def on_connection_close(self) -> None:
        self.queue.put_nowait(None)


_CLASSROOM = r"/services/pmh/api/classrooms/([^/]+)"
ROUTES = [
    (r"/services/pmh/health", HealthHandler),
    (r"/services/pmh/api/me", EchoHandler),
    (r"/services/pmh/api/join", JoinHandler),
    (r"/services/pmh/api/submissions/([^/]+)", SubmissionHandler),
    (_CLASSROOM + r"/outline", EchoHandler),
    (_CLASSROOM + r"/submissions", SubmissionListHandler),
    (_CLASSROOM + r"/events", EventsHandler),
    (_CLASSROOM + r"/lessons/([^/]+)/files", FilesHandler),
    (_CLASSROOM + r"/lessons/([^/]+)/opened", OpenedHandler),
    (_CLASSROOM + r"/lessons/([^/]+)/checks", CheckHandler),
    (_CLASSROOM + r"/lessons/([^/]+)/submissions", SubmitHandler),
]
