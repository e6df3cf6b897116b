"""The one writer of errors: any failure becomes an `ErrorReply`, a status and headers."""

from __future__ import annotations

import http
import math

from pydantic import ValidationError
from tornado.web import HTTPError

from pmh_jupyter.errors import BadInput, NotAllowed, NotFound, NotLoggedIn, PmhError, TooLarge, Unavailable
from pmh_jupyter.wire.base import ErrorReply, ProblemReply

MAX_LISTED_ERRORS = 5


class MethodNotAllowed(BadInput):
    """The address is there and does not take this method."""

    code = "method-not-allowed"
    status = 405
    advice = "Look it up in the service's openapi.json."
    allowed_methods: tuple[str, ...] = ()


_ERRORS_BY_STATUS: dict[int, PmhError] = {
    401: NotLoggedIn("You are not logged in."),
    403: NotAllowed("This is not allowed."),
    404: NotFound("There is nothing at this address."),
    405: MethodNotAllowed("This address does not take this method."),
    413: TooLarge("The request is too large."),
    503: Unavailable("The service cannot answer now."),
}


def as_pmh_error(error: BaseException | None, status: int = 500) -> PmhError:
    """Whatever went wrong as a failure of ours. What is for the log only stays in the exception and out of the message."""
    if isinstance(error, PmhError):
        return error
    if isinstance(error, ValidationError):
        return BadInput(_describe_validation_error(error))
    if isinstance(error, HTTPError):
        status = error.status_code
    if status in _ERRORS_BY_STATUS:
        return _ERRORS_BY_STATUS[status]
    if 400 <= status < 500:
        return BadInput(f"The request cannot be understood ({http.HTTPStatus(status).phrase.lower()}).")
    return PmhError("Something went wrong in the service, through no fault of yours.")


def error_reply(failure: PmhError, request_id: str) -> ErrorReply:
    """The failure as everybody is answered."""
    return ErrorReply(
        code=failure.code,
        message=failure.message,
        advice=failure.advice,
        request_id=request_id,
        problems=tuple(
            ProblemReply(file=problem.file, cell=problem.cell, message=problem.message, remedy=problem.remedy)
            for problem in failure.problems
        ),
    )


def error_headers(failure: PmhError) -> dict[str, str]:
    """Headers that go with it: Retry-After in whole seconds, and how to log in."""
    response_headers: dict[str, str] = {}
    if failure.retry_after is not None or failure.status in {429, 503}:
        response_headers["Retry-After"] = str(max(1, math.ceil(failure.retry_after or 1)))
    if isinstance(failure, MethodNotAllowed) and failure.allowed_methods:
        response_headers["Allow"] = ", ".join(failure.allowed_methods)
    if failure.status == 401:
        response_headers["WWW-Authenticate"] = 'token realm="pmh"'
    return response_headers


def _describe_validation_error(error: ValidationError) -> str:
    """Where a message does not fit its model, and why; never the value, which may be a student's work."""
    field_errors = error.errors(include_input=False, include_url=False, include_context=False)
    descriptions = [
        f"{'.'.join(str(part) for part in field_error['loc']) or 'the body'}: {field_error['msg']}"
        for field_error in field_errors[:MAX_LISTED_ERRORS]
    ]
    remainder = f" (and {len(field_errors) - MAX_LISTED_ERRORS} more)" if len(field_errors) > MAX_LISTED_ERRORS else ""
    return f"The request does not have the right form. {'; '.join(descriptions)}{remainder}."
