"""Failures in the one shape: ours, those of the web server below us, and those that the service sent, which stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from tornado.web import HTTPError

from pmh_jupyter.errors import BadInput, NotAllowed, NotFound, NotLoggedIn, PmhError, Problem
from pmh_jupyter.wire.base import ErrorReply, ProblemReply, WireModel

MAX_PROBLEMS = 20

MessageT = TypeVar("MessageT", bound=WireModel)


@dataclass(frozen=True)
class ErrorResponse:
    """An answer of failure: HTTP status, body, and the seconds for `Retry-After`."""

    status: int
    reply: ErrorReply
    retry_after: float | None = None


class ServiceError(Exception):
    """The service answered with a failure of its own. It is handed on unchanged."""

    def __init__(self, status: int, reply: ErrorReply, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {reply.code}: {reply.message}")
        self.status = status
        self.reply = reply
        self.retry_after = retry_after


def to_error_response(error: Any, status: int, request_id: str) -> ErrorResponse:
    """What is answered for an exception that ended a request; `status` is what tornado would have answered."""
    if isinstance(error, ServiceError):
        return ErrorResponse(error.status, error.reply, error.retry_after)
    if isinstance(error, PmhError):
        return ErrorResponse(error.status, _error_reply(error, request_id), error.retry_after)
    if isinstance(error, HTTPError) and error.status_code < 500:
        pmh_error = _from_http_error(error)
        return ErrorResponse(error.status_code, _error_reply(pmh_error, request_id))
    return ErrorResponse(status, _error_reply(PmhError("Something went wrong in your notebook server."), request_id))


def parse_body(model: type[MessageT], body: bytes) -> MessageT:
    """The body of a request as a model of `wire/`; raises BadInput naming each field at fault."""
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        validation_errors = error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS]
        problems = tuple(
            Problem(
                "request", f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}.", "Send it as documented."
            )
            for fault in validation_errors
        )
        raise BadInput("The request does not have the expected form.", problems=problems) from error


def _error_reply(error: PmhError, request_id: str) -> ErrorReply:
    problems = tuple(
        ProblemReply(file=problem.file, cell=problem.cell, message=problem.message, remedy=problem.remedy)
        for problem in error.problems
    )
    return ErrorReply(
        code=error.code, message=error.message, advice=error.advice, request_id=request_id, problems=problems
    )


def _from_http_error(error: HTTPError) -> PmhError:
    """Jupyter's and tornado's own refusals (log-in, XSRF, method, size) with a code of ours."""
    error_classes: dict[int, type[PmhError]] = {401: NotLoggedIn, 403: NotAllowed, 404: NotFound}
    error_class = error_classes.get(error.status_code, BadInput)
    return error_class(error.log_message or error.reason or f"Refused with status {error.status_code}.")
