"""One long answer, read as it comes. Unlike tornado's HTTP client it can be left at any time, which closes the connection at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient

from pmh_jupyter.errors import Unavailable

# A stream has no last byte, so tornado's limit on a body must not end it; memory is bounded by the queue below.
UNLIMITED_BODY_BYTES = 1 << 62
MAX_BUFFERED_CHUNKS = 16
MAX_FAILURE_BODY_BYTES = 1 << 20


@dataclass(frozen=True)
class EventStream:
    """An answer whose head has been read. `chunks` ends when the sender ends it, is lost, or is silent for too long."""

    status: int
    headers: HTTPHeaders
    chunks: AsyncIterator[bytes]

    async def read_body(self) -> bytes:
        """All of a short answer (a failure), cut off beyond what one may weigh."""
        body = b""
        async for chunk in self.chunks:
            body += chunk
            if len(body) > MAX_FAILURE_BODY_BYTES:
                break
        return body


class _ResponseReader(HTTPMessageDelegate):
    """Puts what arrives into a bounded queue: while nobody takes it, nothing more is read from the network."""

    def __init__(self) -> None:
        self.head: asyncio.Future[tuple[int, HTTPHeaders]] = asyncio.get_running_loop().create_future()
        self.chunks: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_BUFFERED_CHUNKS)

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        if isinstance(start_line, ResponseStartLine) and start_line.code >= 200 and not self.head.done():
            self.head.set_result((start_line.code, headers))

    async def data_received(self, chunk: bytes) -> None:
        await self.chunks.put(chunk)

    async def read(self, connection: HTTP1Connection) -> None:
        """Reads to the end, whichever way it comes, and puts None behind the last chunk."""
        with suppress(StreamClosedError, HTTPInputError):
            await connection.read_response(self)
        if not self.head.done():
            self.head.set_exception(ConnectionError("closed before it answered"))
        await self.chunks.put(None)


@asynccontextmanager
async def open_stream(
    url: str, headers: dict[str, str], *, connect_timeout: float, idle_timeout: float
) -> AsyncIterator[EventStream]:
    """GETs `url` and yields the answer as soon as its head is there. Raises Unavailable where none comes.

    `connect_timeout` is in seconds and covers connection and head; `silence` is how many seconds may pass between two chunks.
    """
    stream: IOStream | None = None
    read_task: asyncio.Task[None] | None = None
    try:
        try:
            async with asyncio.timeout(connect_timeout):
                stream = await _connect(url)
                reader = _ResponseReader()
                read_task = asyncio.create_task(reader.read(_send_request(stream, url, headers)))
                status, response_headers = await reader.head
        except (OSError, HTTPInputError) as error:
            raise Unavailable("The lessons' service cannot be reached just now.") from error
        yield EventStream(status, response_headers, _iter_chunks(reader, idle_timeout))
    finally:
        if stream is not None:
            stream.close()
        if read_task is not None:
            read_task.cancel()
            await asyncio.gather(read_task, return_exceptions=True)


async def _connect(url: str) -> IOStream:
    parts = urlsplit(url)
    if not parts.hostname:
        raise ConnectionError(f"{url} names no host")
    is_https = parts.scheme == "https"
    client = TCPClient()
    try:
        # An empty dict asks for TLS with the system's certificates.
        return await client.connect(
            parts.hostname, parts.port or (443 if is_https else 80), ssl_options={} if is_https else None
        )
    finally:
        client.close()


def _send_request(stream: IOStream, url: str, headers: dict[str, str]) -> HTTP1Connection:
    parts = urlsplit(url)
    connection = HTTP1Connection(
        stream, is_client=True, params=HTTP1ConnectionParameters(no_keep_alive=True, max_body_size=UNLIMITED_BODY_BYTES)
    )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    request_headers = HTTPHeaders({"Host": parts.netloc, "Connection": "close", **headers})
    connection.write_headers(RequestStartLine("GET", path, ""), request_headers)
    connection.finish()
    return connection


async def _iter_chunks(reader: _ResponseReader, idle_timeout: float) -> AsyncIterator[bytes]:
    while True:
        try:
            chunk = await asyncio.wait_for(reader.chunks.get(), idle_timeout)
        except TimeoutError:
            return
        if chunk is None:
            return
        yield chunk
