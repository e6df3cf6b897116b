"""Builds the `ErrorReply` of a failure, and describes invalid requests: the same for the service and for the server extension."""

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
