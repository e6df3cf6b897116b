"""Builds the `ErrorReply` of a failure: the same for the service and for the server extension."""

from __future__ import annotations

from pmh_jupyter.errors import PmhError, Problem
from pmh_jupyter.wire.base import ErrorReply, ProblemReply


def serialize_error(error: PmhError, request_id: str) -> ErrorReply:
    """Return the body of the response to a request that failed."""
    return ErrorReply(
        code=error.code,
        message=error.message,
        advice=error.advice,
        request_id=request_id,
        problems=tuple(map(serialize_problem, error.problems)),
    )


def serialize_problem(problem: Problem) -> ProblemReply:
    """Return one problem of a rejected input as a message."""
    return ProblemReply(file=problem.file, cell=problem.cell, message=problem.message, remedy=problem.remedy)
