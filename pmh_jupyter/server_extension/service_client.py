"""HTTP client of the service. It authenticates as the owner of this server, with the token that the Hub gave to the server."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.server_extension.error_replies import ServiceError
from pmh_jupyter.wire.errors import parse_error_reply

MAX_RESPONSE_BYTES = 200 << 20
MAX_ERROR_BODY_BYTES = 1 << 20
MAX_IDLE_CONNECTIONS = 10


class ResponseTooLarge(Exception):
    """The body of a response exceeds its limit."""


NETWORK_ERRORS = (OSError, httpx.HTTPError, httpx.InvalidURL, ResponseTooLarge)


@dataclass(frozen=True)
class Timeouts:
    """Seconds of wall time.

    connect_seconds: for a connection, and for the headers of an event stream.
    read_seconds, write_seconds: for the complete response to a GET, and to any other method.
    idle_seconds: between two chunks of an event stream.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    write_seconds: float = 30.0
    idle_seconds: float = 60.0


@dataclass(frozen=True)
class ServiceResponse:
    """A successful response of the service."""

    status: int
    body: bytes


class ServiceClient:
    """Sends requests below `{base_url}/api/`. Connections are reused.

    Every method raises ServiceError for an error reply of the service, and Unavailable if the service did not reply: the network
    failed, time ran out, the response was too large, or a proxy replied instead.
    """

    def __init__(self, base_url: str, token: str, log: logging.Logger, timeouts: Timeouts | None = None) -> None:
        self._base_url = base_url
        self._log = log
        self._timeouts = timeouts or Timeouts()
        self._token = token
        self._tls_context = _create_tls_context(base_url)
        self._http = self._create_http_client()

    async def get(self, path: str, request_id: str, query: str = "") -> ServiceResponse:
        """Send a GET request; once more if the service did not reply, which is harmless for a GET."""
        url = self._make_api_url(path, query)
        try:
            return await self._fetch("GET", url, request_id)
        except Unavailable as error:
            self._log.info("pmh: retrying: %s [request %s]", error.__cause__ or error, request_id)
            return await self._fetch("GET", url, request_id)

    async def send(self, method: str, path: str, body: bytes, request_id: str) -> ServiceResponse:
        """Send a request with a JSON body, once."""
        return await self._fetch(method, self._make_api_url(path), request_id, body)

    @asynccontextmanager
    async def open_event_stream(
        self, path: str, query: str, last_event_id: str, request_id: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream of server-sent events and yield its chunks, byte for byte. Errors are raised on entering only.

        The chunks end when the service ends the stream, the connection breaks, or nothing arrives for `Timeouts.idle_seconds`.
        A chunk is read from the network only when it is asked for, so a slow reader slows the sender down.
        Leaving the context closes the connection at once.
        """
        url = self._make_api_url(path, query)
        headers = {"X-Request-ID": request_id, "Accept": "text/event-stream"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        timeout = httpx.Timeout(self._timeouts.connect_seconds, read=self._timeouts.idle_seconds)
        # A client of its own: a pool does not always notice that a request was canceled, and would keep its connection open.
        http = self._create_http_client()
        try:
            try:
                async with asyncio.timeout(self._timeouts.connect_seconds):
                    request = http.build_request("GET", url, headers=headers, timeout=timeout)
                    response = await http.send(request, stream=True)
            except NETWORK_ERRORS as error:
                raise self._make_no_reply_error("GET", url, request_id, error) from error
            if response.status_code != 200:
                raise await self._read_failure(response, request_id)
            yield _iter_chunks(response)
        finally:
            await asyncio.shield(http.aclose())

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    def _create_http_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            # Uncompressed: a compressor would delay events, and a small body could decompress to a huge one.
            headers={"Authorization": f"token {self._token}", "Accept-Encoding": "identity"},
            # The token is the only credential: no cookies of the service, no proxies or passwords of the environment.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
            verify=self._tls_context,
            timeout=httpx.Timeout(None, connect=self._timeouts.connect_seconds),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=MAX_IDLE_CONNECTIONS),
        )

    def _make_api_url(self, path: str, query: str = "") -> str:
        return f"{self._base_url}/api/{path}" + (f"?{query}" if query else "")

    async def _fetch(self, method: str, url: str, request_id: str, body: bytes | None = None) -> ServiceResponse:
        start_time = time.monotonic()
        headers = {"X-Request-ID": request_id}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with (
                asyncio.timeout(self._timeouts.read_seconds if body is None else self._timeouts.write_seconds),
                self._http.stream(method, url, content=body, headers=headers) as response,
            ):
                content = await _read_body(response, MAX_RESPONSE_BYTES)
        except NETWORK_ERRORS as error:
            raise self._make_no_reply_error(method, url, request_id, error) from error
        milliseconds = (time.monotonic() - start_time) * 1000
        self._log.info(
            "pmh: %s %s: %s in %.0f ms [request %s]", method, url, response.status_code, milliseconds, request_id
        )
        if response.status_code >= 300:
            raise parse_failure(response.status_code, content, parse_retry_after(response.headers), request_id)
        return ServiceResponse(response.status_code, content)

    async def _read_failure(self, response: httpx.Response, request_id: str) -> ServiceError | Unavailable:
        try:
            async with asyncio.timeout(self._timeouts.read_seconds):
                body = await _read_body(response, MAX_ERROR_BODY_BYTES)
        except NETWORK_ERRORS as error:
            return self._make_no_reply_error("GET", str(response.url), request_id, error)
        return parse_failure(response.status_code, body, parse_retry_after(response.headers), request_id)

    def _make_no_reply_error(self, method: str, url: str, request_id: str, error: Exception) -> Unavailable:
        reason = f"{type(error).__name__} {error}"
        self._log.warning("pmh: %s %s: no reply: %s [request %s]", method, url, reason, request_id)
        return Unavailable("The course service cannot be reached at the moment.")


def parse_failure(status: int, body: bytes, retry_after: float | None, request_id: str) -> ServiceError | Unavailable:
    """Convert a failed response to an exception: the service's own error, or Unavailable if something else replied.

    status: HTTP status. retry_after: seconds, if the response names them. request_id: used if the reply has none.
    """
    reply = parse_error_reply(body)
    if reply is None:
        return Unavailable(
            f"Something other than the course service replied (status {status}).", retry_after=retry_after
        )
    if not reply.request_id:
        reply = reply.model_copy(update={"request_id": request_id})
    return ServiceError(status, reply, retry_after)


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110, 10.2.3).

    None if the header is absent or contains a date, which the service never sends.
    """
    try:
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


def _create_tls_context(base_url: str) -> ssl.SSLContext:
    """Trust the certificate authorities of the system; httpx itself would use a list of its own."""
    if base_url.startswith("https:"):
        return ssl.create_default_context()
    # Plain HTTP needs no authorities, and loading them would block the event loop.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def _read_body(response: httpx.Response, max_bytes: int) -> bytes:
    """Read a body. Raises ResponseTooLarge as soon as its declared or its received size exceeds `max_bytes`."""
    if int(response.headers.get("Content-Length", 0)) > max_bytes:
        raise ResponseTooLarge(f"the response announces more than {max_bytes} bytes")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise ResponseTooLarge(f"the response is larger than {max_bytes} bytes")
    return bytes(body)


async def _iter_chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    except httpx.HTTPError:
        return
