"""Client of the service's API: validates and releases courses, regrades lessons, reads and sets limits."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPException
from typing import TypeVar
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from pydantic import ValidationError

from pmh_jupyter.domain.course import File
from pmh_jupyter.errors import BadInput, InvalidCourse, NotLoggedIn, PmhError, Unavailable
from pmh_jupyter.wire.base import WireModel
from pmh_jupyter.wire.errors import parse_error_reply, parse_problem
from pmh_jupyter.wire.files import encode_file
from pmh_jupyter.wire.staff import (
    CourseReleaseReply,
    CourseUpload,
    CourseValidationReply,
    RegradeReply,
    ResourceLimits,
    ResourceLimitsReply,
)

ReplyT = TypeVar("ReplyT", bound=WireModel)

TOKEN_VARIABLES = ("PMH_TOKEN", "JUPYTERHUB_API_TOKEN")
# To validate a course, the service grades each of its lessons twice. It validates one course at a time.
TIMEOUT_SECONDS = 600.0


class RequestRejected(PmhError):
    """The service rejected the request. The message, advice and problems are those of its reply."""

    code = "rejected"
    status = 422


def find_token(environ: Mapping[str, str], variables: tuple[str, ...], scope: str) -> str:
    """Return the value of the first environment variable that is set. Raises NotLoggedIn with the variables and the needed scope."""
    for name in variables:
        if environ.get(name):
            return environ[name]
    raise NotLoggedIn(
        f"There is no token in {' or '.join(variables)}.",
        advice=f"Create one on the hub's Token page, with the scope {scope}, and set that variable to it.",
    )


def request_release(
    service_url: str, token: str, course: str, files: tuple[File, ...], classrooms: tuple[str, ...]
) -> CourseReleaseReply:
    """Release a course, and make the classrooms adopt it. Raises as `_send` does."""
    upload = CourseUpload(files=tuple(map(encode_file, files)), classrooms=classrooms)
    return _send(service_url, token, f"courses/{quote(course, safe='')}/releases", upload, CourseReleaseReply)


def request_validation(service_url: str, token: str, course: str, files: tuple[File, ...]) -> CourseValidationReply:
    """Validate a course. Raises as `_send` does."""
    upload = CourseUpload(files=tuple(map(encode_file, files)))
    return _send(service_url, token, f"courses/{quote(course, safe='')}/validate", upload, CourseValidationReply)


def request_regrade(service_url: str, token: str, classroom: str, lesson: str) -> RegradeReply:
    """Queue the submissions of a lesson for regrading. Raises as `_send` does."""
    path = f"classrooms/{quote(classroom, safe='')}/lessons/{quote(lesson, safe='')}/regrades"
    return _send(service_url, token, path, None, RegradeReply)


def fetch_limits(service_url: str, token: str, classroom: str, lesson: str) -> ResourceLimitsReply:
    """Return the resource limits of a lesson in a classroom. Raises as `_send` does."""
    return _send(service_url, token, _make_limits_path(classroom, lesson), None, ResourceLimitsReply, "GET")


def update_limits(
    service_url: str, token: str, classroom: str, lesson: str, limits: ResourceLimits
) -> ResourceLimitsReply:
    """Set the classroom's own limits of a lesson. Raises as `_send` does."""
    return _send(service_url, token, _make_limits_path(classroom, lesson), limits, ResourceLimitsReply, "PUT")


def _make_limits_path(classroom: str, lesson: str) -> str:
    return f"classrooms/{quote(classroom, safe='')}/lessons/{quote(lesson, safe='')}/limits"


def _send(
    service_url: str, token: str, path: str, body: WireModel | None, reply_type: type[ReplyT], method: str = "POST"
) -> ReplyT:
    """Send a request to the service at this address, and return its reply.

    Raises InvalidCourse with every problem that the service found, RequestRejected if the service replies with another error,
    Unavailable if it does not answer, and BadInput if another program answers at the address.
    """
    if not service_url.startswith(("http://", "https://")):
        raise BadInput(
            f"{service_url!r} is not the address of a service.", advice="An address starts with http:// or https://."
        )
    request = Request(
        f"{service_url.rstrip('/')}/api/{path}",
        data=body.model_dump_json().encode() if body else None if method == "GET" else b"",
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
        method=method,
    )
    response_body = _fetch_body(request, service_url)
    try:
        return reply_type.model_validate_json(response_body)
    except ValidationError as error:
        raise BadInput(
            f"The server at {service_url} is not the service.",
            advice="Correct the address. It usually ends in /services/pmh.",
        ) from error


def _fetch_body(request: Request, service_url: str) -> bytes:
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            body: bytes = response.read()
            return body
    except HTTPError as error:
        with error:
            raise _parse_error(error.code, error.read(), service_url) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise Unavailable(
            f"The service at {service_url} does not answer: {reason}.",
            advice="Check that the hub runs and that the address is correct, then try again.",
        ) from error


def _parse_error(status: int, body: bytes, service_url: str) -> PmhError:
    reply = parse_error_reply(body)
    if reply is None:
        return Unavailable(
            f"The server at {service_url} answered {status} without an error of the service.",
            advice="Check that the hub runs and that the address is correct. It usually ends in /services/pmh.",
        )
    problems = tuple(map(parse_problem, reply.problems))
    error_class = InvalidCourse if reply.code == InvalidCourse.code else RequestRejected
    return error_class(reply.message, advice=reply.advice, problems=problems)
