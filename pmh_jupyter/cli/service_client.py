"""What is sent to the service: a course, to be validated or released; the wish that a lesson be graded again; its limits."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from http.client import HTTPException
from typing import TypeVar
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from pydantic import ValidationError

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.hashing import sha256_hex
from pmh_jupyter.errors import BadInput, InvalidCourse, NotLoggedIn, PmhError, Problem, Unavailable
from pmh_jupyter.wire.base import ErrorReply, FileContent, WireModel
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
# A course is validated by grading each of its lessons twice, one course at a time.
TIMEOUT_SECONDS = 600.0


class RequestRefused(PmhError):
    """The service understood, and said no; message, advice and problems are its own."""

    code = "refused"
    status = 422


def find_token(
    environ: Mapping[str, str], variables: tuple[str, ...] = TOKEN_VARIABLES, scope: str = "custom:pmh:author"
) -> str:
    """The token in the first of the variables that has one; raises NotLoggedIn, naming them and the scope that it needs."""
    for name in variables:
        if environ.get(name):
            return environ[name]
    raise NotLoggedIn(
        f"There is no token in {' or '.join(variables)}.",
        advice=f"Make one on the hub's token page, with the scope {scope}, and put it into that variable.",
    )


def request_release(
    service: str, token: str, course: str, files: tuple[File, ...], classrooms: tuple[str, ...]
) -> CourseReleaseReply:
    """Has the service at this address release the course, and the classrooms adopt it. Raises as `_send` does."""
    upload = CourseUpload(files=tuple(_encode_file(file) for file in files), classrooms=classrooms)
    return _send(service, token, f"courses/{quote(course, safe='')}/releases", upload, CourseReleaseReply)


def request_validation(service: str, token: str, course: str, files: tuple[File, ...]) -> CourseValidationReply:
    """Has the service at this address validate the course. Raises as `_send` does."""
    upload = CourseUpload(files=tuple(_encode_file(file) for file in files))
    return _send(service, token, f"courses/{quote(course, safe='')}/validate", upload, CourseValidationReply)


def request_regrade(service: str, token: str, classroom: str, lesson: str) -> RegradeReply:
    """Has the service at this address grade again what was handed in. Raises as `_send` does."""
    path = f"classrooms/{quote(classroom, safe='')}/lessons/{quote(lesson, safe='')}/regrades"
    return _send(service, token, path, None, RegradeReply)


def fetch_limits(service: str, token: str, classroom: str, lesson: str) -> ResourceLimitsReply:
    """What gradings of a lesson may use at the service at this address. Raises as `_send` does."""
    return _send(service, token, _limits_path(classroom, lesson), None, ResourceLimitsReply, "GET")


def update_limits(service: str, token: str, classroom: str, lesson: str, limits: ResourceLimits) -> ResourceLimitsReply:
    """Has the service at this address take these as what the classroom asks for. Raises as `_send` does."""
    return _send(service, token, _limits_path(classroom, lesson), limits, ResourceLimitsReply, "PUT")


def _limits_path(classroom: str, lesson: str) -> str:
    return f"classrooms/{quote(classroom, safe='')}/lessons/{quote(lesson, safe='')}/limits"


def _send(
    service: str, token: str, path: str, body: WireModel | None, reply_type: type[ReplyT], method: str = "POST"
) -> ReplyT:
    """Raises InvalidCourse with every problem that the service found, Refused for another no of it,
    Unavailable where it does not answer, BadInput for what is no address of one.
    """
    if not service.startswith(("http://", "https://")):
        raise BadInput(f"{service!r} is not the address of a service.", advice="It begins with http:// or https://.")
    request = Request(
        f"{service.rstrip('/')}/api/{path}",
        data=body.model_dump_json().encode() if body else None if method == "GET" else b"",
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
        method=method,
    )
    response_body = _fetch_body(request, service)
    try:
        return reply_type.model_validate_json(response_body)
    except ValidationError as error:
        raise BadInput(f"What answers at {service} is not the service.", advice="Mend the address.") from error


def _fetch_body(request: Request, service: str) -> bytes:
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            body: bytes = response.read()
            return body
    except HTTPError as error:
        with error:
            raise _parse_error(error.code, error.read(), service) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise Unavailable(
            f"The service at {service} does not answer: {reason}.",
            advice="Is the hub running, and is the address right? Nothing was changed there.",
        ) from error


def _parse_error(status: int, body: bytes, service: str) -> PmhError:
    try:
        reply = ErrorReply.model_validate_json(body)
    except ValidationError:
        return Unavailable(f"What answers at {service} said {status}, and not as the service would.")
    problems = tuple(Problem(problem.file, problem.message, problem.remedy, problem.cell) for problem in reply.problems)
    error_class = InvalidCourse if reply.code == InvalidCourse.code else RequestRefused
    return error_class(reply.message, advice=reply.advice, problems=problems)


def _encode_file(file: File) -> FileContent:
    encoded = base64.b64encode(file.content).decode()
    return FileContent(path=file.path, sha256=sha256_hex(file.content), content=encoded)
