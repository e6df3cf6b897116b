"""Speaks to the service over HTTP, as the owner of this server: the token is the one the Hub gave the server."""

from __future__ import annotations

import logging
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from pydantic import ValidationError
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders, HTTPInputError
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.server_extension.error_replies import ServiceError
from pmh_jupyter.server_extension.event_client import EventStream, open_stream
from pmh_jupyter.wire.base import ErrorReply

NETWORK_ERRORS = (OSError, HTTPClientError, HTTPInputError)
MAX_RESPONSE_BYTES = 200 << 20


@dataclass(frozen=True)
class Timeouts:
    """Seconds of wall time: to connect, for an answer to a GET, for one to anything else, and of silence on a stream."""

    connect: float = 5.0
    read: float = 15.0
    write: float = 30.0
    idle: float = 60.0


@dataclass(frozen=True)
class ServiceResponse:
    """A reply of the service that is no failure."""

    status: int
    body: bytes


class ServiceClient:
    """Requests below `{base}/api/`. Raises Refusal for a failure that the service answered, Unavailable where it did not answer."""

    def __init__(self, base_url: str, token: str, log: logging.Logger, timeouts: Timeouts | None = None) -> None:
        self._base_url = base_url
        self._token = token
        self._log = log
        self._timeouts = timeouts or Timeouts()
        # Of its own: the shared client's ten places may be taken by other extensions.
        self._http = SimpleAsyncHTTPClient(
            force_instance=True, max_clients=20, max_buffer_size=MAX_RESPONSE_BYTES, max_body_size=MAX_RESPONSE_BYTES
        )

    async def get(self, path: str, request_id: str, query: str = "") -> ServiceResponse:
        """Reads. Asked again once when the network failed, which is harmless for a GET."""
        request = self._request("GET", f"api/{path}" + (f"?{query}" if query else ""), request_id)
        try:
            return await self._fetch(request)
        except Unavailable as error:
            self._log.info("pmh: asking again: %s [request %s]", error.__cause__ or error, request_id)
            return await self._fetch(request)

    async def send(self, method: str, path: str, body: bytes, request_id: str) -> ServiceResponse:
        """Writes, once."""
        return await self._fetch(self._request(method, f"api/{path}", request_id, body))

    async def is_reachable(self, request_id: str) -> bool:
        """True if the service answers at all."""
        try:
            await self._fetch(self._request("GET", "health", request_id))
        except (Unavailable, ServiceError):
            return False
        return True

    def open_event_stream(
        self, path: str, query: str, last_event_id: str, request_id: str
    ) -> AbstractAsyncContextManager[EventStream]:
        """A stream of events. Entering it raises Refusal or Unavailable; afterwards it only ends."""
        headers = {**self._headers(request_id), "Accept": "text/event-stream"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        url = f"{self._base_url}/api/{path}" + (f"?{query}" if query else "")
        return open_stream(url, headers, connect_timeout=self._timeouts.connect, idle_timeout=self._timeouts.idle)

    def close(self) -> None:
        self._http.close()

    def _headers(self, request_id: str) -> dict[str, str]:
        return {"Authorization": f"token {self._token}", "X-Request-ID": request_id}

    def _request(self, method: str, path: str, request_id: str, body: bytes | None = None) -> HTTPRequest:
        headers = self._headers(request_id)
        if body is not None:
            headers["Content-Type"] = "application/json"
        return HTTPRequest(
            f"{self._base_url}/{path}",
            method=method,
            headers=headers,
            body=body,
            connect_timeout=self._timeouts.connect,
            request_timeout=self._timeouts.read if body is None else self._timeouts.write,
            follow_redirects=False,
        )

    async def _fetch(self, request: HTTPRequest) -> ServiceResponse:
        start_time = time.monotonic()
        request_id = request.headers["X-Request-ID"]
        try:
            response = await self._http.fetch(request, raise_error=False)
        except NETWORK_ERRORS as error:
            self._log.warning("pmh: %s %s: no answer: %s [request %s]", request.method, request.url, error, request_id)
            raise Unavailable("The lessons' service cannot be reached just now.") from error
        milliseconds = (time.monotonic() - start_time) * 1000
        self._log.info(
            "pmh: %s %s: %s in %.0f ms [request %s]",
            request.method,
            request.url,
            response.code,
            milliseconds,
            request_id,
        )
        if response.code >= 300:
            raise parse_failure(response.code, response.body, parse_retry_after(response.headers), request_id)
        return ServiceResponse(response.code, response.body)


def parse_failure(status: int, body: bytes, retry_after: float | None, request_id: str) -> ServiceError | Unavailable:
    """The failure that an answer tells of: the service's own words, or that something between us and it answered instead."""
    try:
        reply = ErrorReply.model_validate_json(body)
    except ValidationError:
        return Unavailable(
            f"Something other than the lessons' service answered (status {status}).", retry_after=retry_after
        )
    if not reply.request_id:
        reply = reply.model_copy(update={"request_id": request_id})
    return ServiceError(status, reply, retry_after)


def parse_retry_after(headers: HTTPHeaders) -> float | None:
    """Seconds of a Retry-After header; its other form, a date, is not used by the service."""
    try:
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
