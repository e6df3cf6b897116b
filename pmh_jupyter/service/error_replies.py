"""Maps every exception to a PmhError, and a PmhError to the headers of its response. `wire.errors` builds the body."""

from __future__ import annotations

import http
import math

from pydantic import ValidationError
from tornado.web import HTTPError

from pmh_jupyter.errors import BadInput, NotAllowed, NotFound, NotLoggedIn, PmhError, TooLarge, Unavailable
from pmh_jupyter.wire.errors import make_invalid_request_error


class MethodNotAllowed(BadInput):
    """The route exists but does not support this HTTP method."""

    code = "method-not-allowed"
    status = 405
    advice = "See the service's openapi.json for the methods of each route."
    allowed_methods: tuple[str, ...] = ()


_ERRORS_BY_STATUS: dict[int, PmhError] = {
    401: NotLoggedIn("You are not logged in."),
    403: NotAllowed("You are not allowed to do this."),
    404: NotFound("There is no page at this address."),
    405: MethodNotAllowed("This address does not support this method."),
    413: TooLarge("The request is too large."),
    503: Unavailable("The service is temporarily unavailable."),
}


def to_pmh_error(error: BaseException | None, status: int = 500) -> PmhError:
    """Convert any exception to a PmhError whose message is safe to send: it never contains the text of an unexpected exception.

    status: the HTTP status of an exception that has none of its own.
    """
    if isinstance(error, PmhError):
        return error
    if isinstance(error, ValidationError):
        return make_invalid_request_error(error)
    if isinstance(error, HTTPError):
        status = error.status_code
    if status in _ERRORS_BY_STATUS:
        return _ERRORS_BY_STATUS[status]
    if 400 <= status < 500:
        return BadInput(f"The request is invalid ({http.HTTPStatus(status).phrase.lower()}).")
    return PmhError("An unexpected error occurred in the service.")


def make_error_headers(error: PmhError) -> dict[str, str]:
    """Return the response headers of an error: Retry-After in whole seconds, Allow, or WWW-Authenticate."""
    headers: dict[str, str] = {}
    if error.retry_after is not None or error.status in {429, 503}:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or 1)))
    if isinstance(error, MethodNotAllowed) and error.allowed_methods:
        headers["Allow"] = ", ".join(error.allowed_methods)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'token realm="pmh"'
    return headers
