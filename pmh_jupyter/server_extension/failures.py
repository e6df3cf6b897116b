"""Failures in the one shape: ours, those of the web server below us, and those that the service sent, which stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from tornado.web import HTTPError

from pmh_jupyter.errors import BadInput, NotAllowed, NotFound, NotLoggedIn, PmhError, Problem
from pmh_jupyter.wire.base import ErrorReply, Message, ProblemReply

PROBLEMS_SHOWN = 20

Model = TypeVar("Model", bound=Message)


@dataclass(frozen=True)
class Failure:
    """An answer of failure: HTTP status, body, and the seconds for `Retry-After`."""

    status: int
    reply: ErrorReply
    retry_after: float | None = None


class Refusal(Exception):
    """The service answered with a failure of its own. It is handed on unchanged."""

    def __init__(self, status: int, reply: ErrorReply, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {reply.code}: {reply.message}")
        self.status = status
        self.reply = reply
        self.retry_after = retry_after


def describe(error: Any, status: int, request_id: str) -> Failure:
    """What is answered for an exception that ended a request; `status` is what tornado would have answered."""
    if isinstance(error, Refusal):
        return Failure(error.status, error.reply, error.retry_after)
    if isinstance(error, PmhError):
        return Failure(error.status, _reply(error, request_id), error.retry_after)
    if isinstance(error, HTTPError) and error.status_code < 500:
        ours = _of_web_server(error)
        return Failure(error.status_code, _reply(ours, request_id))
    return Failure(status, _reply(PmhError("Something went wrong in your notebook server."), request_id))


def parse(model: type[Model], body: bytes) -> Model:
    """The body of a request as a model of `wire/`; raises BadInput naming each field at fault."""
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)[:PROBLEMS_SHOWN]
        problems = tuple(
            Problem(
                "request", f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}.", "Send it as documented."
            )
            for fault in faults
        )
        raise BadInput("The request does not have the expected form.", problems=problems) from error


def _reply(error: PmhError, request_id: str) -> ErrorReply:
    problems = tuple(
        ProblemReply(file=problem.file, cell=problem.cell, message=problem.message, remedy=problem.remedy)
        for problem in error.problems
    )
    return ErrorReply(
        code=error.code, message=error.message, advice=error.advice, request_id=request_id, problems=problems
    )


def _of_web_server(error: HTTPError) -> PmhError:
    """Jupyter's and tornado's own refusals (log-in, XSRF, method, size) with a code of ours."""
    kinds: dict[int, type[PmhError]] = {401: NotLoggedIn, 403: NotAllowed, 404: NotFound}
    kind = kinds.get(error.status_code, BadInput)
    return kind(error.log_message or error.reason or f"Refused with status {error.status_code}.")
