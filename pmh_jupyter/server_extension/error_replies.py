"""Converts errors to ErrorReply: our own, and those of Jupyter and tornado. Errors of the service are passed on unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tornado.web import HTTPError

from pmh_jupyter.errors import BadInput, NotAllowed, NotFound, NotLoggedIn, PmhError
from pmh_jupyter.wire.base import ErrorReply
from pmh_jupyter.wire.errors import serialize_error


@dataclass(frozen=True)
class ErrorResponse:
    """An error response: HTTP status, body, and the seconds of the `Retry-After` header."""

    status: int
    reply: ErrorReply
    retry_after: float | None = None


class ServiceError(Exception):
    """An error reply of the service. The extension passes it on unchanged."""

    def __init__(self, status: int, reply: ErrorReply, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {reply.code}: {reply.message}")
        self.status = status
        self.reply = reply
        self.retry_after = retry_after


def to_error_response(error: Any, status: int, request_id: str) -> ErrorResponse:
    """Return the response for an exception that has ended a request. `status` is the one that tornado would have used."""
    if isinstance(error, ServiceError):
        return ErrorResponse(error.status, error.reply, error.retry_after)
    if isinstance(error, PmhError):
        return ErrorResponse(error.status, serialize_error(error, request_id), error.retry_after)
    if isinstance(error, HTTPError) and error.status_code < 500:
        pmh_error = _from_http_error(error)
        return ErrorResponse(error.status_code, serialize_error(pmh_error, request_id))
    return ErrorResponse(
        status, serialize_error(PmhError("An unexpected error occurred in your notebook server."), request_id)
    )


def _from_http_error(error: HTTPError) -> PmhError:
    """Map an error of Jupyter or tornado (login, XSRF, method, size) to an error class of ours."""
    error_classes: dict[int, type[PmhError]] = {401: NotLoggedIn, 403: NotAllowed, 404: NotFound}
    error_class = error_classes.get(error.status_code, BadInput)
    return error_class(error.log_message or error.reason or f"The request failed with status {error.status_code}.")
