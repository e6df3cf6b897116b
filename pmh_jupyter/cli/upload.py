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
from pmh_jupyter.domain.ids import sha256
from pmh_jupyter.errors import BadInput, InvalidCourse, NotLoggedIn, PmhError, Problem, Unavailable
from pmh_jupyter.wire.base import ErrorReply, FileContent, Message
from pmh_jupyter.wire.staff import (
    CourseReleased,
    CourseUpload,
    CourseValidated,
    LimitsBody,
    LimitsReply,
    RegradeReply,
)

R = TypeVar("R", bound=Message)

TOKEN_VARIABLES = ("PMH_TOKEN", "JUPYTERHUB_API_TOKEN")
# A course is validated by grading each of its lessons twice, one course at a time.
TIMEOUT_SECONDS = 600.0


class Refused(PmhError):
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


def send_release(
    service: str, token: str, course: str, files: tuple[File, ...], classrooms: tuple[str, ...]
) -> CourseReleased:
    """Has the service at this address release the course, and the classrooms adopt it. Raises as `_send` does."""
    upload = CourseUpload(files=tuple(_content(file) for file in files), classrooms=classrooms)
    return _send(service, token, f"courses/{quote(course, safe='')}/releases", upload, CourseReleased)


def send_validation(service: str, token: str, course: str, files: tuple[File, ...]) -> CourseValidated:
    """Has the service at this address validate the course. Raises as `_send` does."""
    upload = CourseUpload(files=tuple(_content(file) for file in files))
    return _send(service, token, f"courses/{quote(course, safe='')}/validate", upload, CourseValidated)


def send_regrade(service: str, token: str, classroom: str, lesson: str) -> RegradeReply:
    """Has the service at this address grade again what was handed in. Raises as `_send` does."""
    place = f"classrooms/{quote(classroom, safe='')}/lessons/{quote(lesson, safe='')}/regrades"
    return _send(service, token, place, None, RegradeReply)


def get_limits(service: str, token: str, classroom: str, lesson: str) -> LimitsReply:
    """What gradings of a lesson may use at the service at this address. Raises as `_send` does."""
    return _send(service, token, _limits(classroom, lesson), None, LimitsReply, "GET")


def put_limits(service: str, token: str, classroom: str, lesson: str, limits: LimitsBody) -> LimitsReply:
    """Has the service at this address take these as what the classroom asks for. Raises as `_send` does."""
    return _send(service, token, _limits(classroom, lesson), limits, LimitsReply, "PUT")


def _limits(classroom: str, lesson: str) -> str:
    return f"classrooms/{quote(classroom, safe='')}/lessons/{quote(lesson, safe='')}/limits"


def _send(service: str, token: str, path: str, body: Message | None, reply: type[R], method: str = "POST") -> R:
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
    answer = _answer(request, service)
    try:
        return reply.model_validate_json(answer)
    except ValidationError as error:
        raise BadInput(f"What answers at {service} is not the service.", advice="Mend the address.") from error


def _answer(request: Request, service: str) -> bytes:
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            body: bytes = response.read()
            return body
    except HTTPError as error:
        with error:
            raise _refusal(error.code, error.read(), service) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise Unavailable(
            f"The service at {service} does not answer: {reason}.",
            advice="Is the hub running, and is the address right? Nothing was changed there.",
        ) from error


def _refusal(status: int, body: bytes, service: str) -> PmhError:
    try:
        reply = ErrorReply.model_validate_json(body)
    except ValidationError:
        return Unavailable(f"What answers at {service} said {status}, and not as the service would.")
    problems = tuple(Problem(one.file, one.message, one.remedy, one.cell) for one in reply.problems)
    kind = InvalidCourse if reply.code == InvalidCourse.code else Refused
    return kind(reply.message, advice=reply.advice, problems=problems)


def _content(file: File) -> FileContent:
    content = base64.b64encode(file.content).decode()
    return FileContent(path=file.path, sha256=sha256(file.content), content=content)
