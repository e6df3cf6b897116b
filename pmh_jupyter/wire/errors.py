"""Builds and reads the `ErrorReply` of a failure, and describes invalid requests, for the service, its clients and the extension."""

from __future__ import annotations

from pydantic import ValidationError

from pmh_jupyter.errors import BadInput, PmhError, Problem
from pmh_jupyter.wire.base import ErrorReply, ProblemReply

MAX_PROBLEMS = 20


def serialize_error(error: PmhError, request_id: str) -> ErrorReply:
    """Return the body of the response to a request that failed."""
    return ErrorReply(
        code=error.code,
        message=error.message,
        advice=error.advice,
        request_id=request_id,
        problems=tuple(map(serialize_problem, error.problems)),
    )


def parse_error_reply(body: bytes) -> ErrorReply | None:
    """Return the `ErrorReply` in the body of a response; None if something other than our own code wrote it."""
    try:
        return ErrorReply.model_validate_json(body)
    except ValidationError:
        return None


def make_invalid_request_error(error: ValidationError) -> BadInput:
    """Return the error for a request that is not a valid message, with one problem for each invalid field, at most MAX_PROBLEMS.

    It does not contain the values of the fields, which may be a student's code.
    """
    field_errors = error.errors(include_url=False, include_input=False, include_context=False)
    problems = tuple(
        Problem("request", f"{'.'.join(map(str, detail['loc'])) or 'body'}: {detail['msg']}.", "See the API reference.")
        for detail in field_errors[:MAX_PROBLEMS]
    )
    return BadInput("The request does not have the expected format.", problems=problems)


def serialize_problem(problem: Problem) -> ProblemReply:
    """Return one problem of a rejected input as a message."""
    return ProblemReply(file=problem.file, cell=problem.cell, message=problem.message, remedy=problem.remedy)


def parse_problem(reply: ProblemReply) -> Problem:
    """Return the problem of a message."""
    return Problem(reply.file, reply.message, reply.remedy, reply.cell)
