"""Whatever goes wrong has a code, a message and advice, and tells nothing that is for the log."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from tornado.web import HTTPError

from pmh_jupyter.errors import Conflict, InvalidCourse, PmhError, Problem, TooManyRequests, Unavailable
from pmh_jupyter.service import error_responses
from pmh_jupyter.wire.submission import SubmitRequest


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Conflict("twice"), 409, "conflict"),
        (HTTPError(404), 404, "not-found"),
        (HTTPError(405), 405, "method-not-allowed"),
        (HTTPError(403, "secret reason"), 403, "not-allowed"),
        (HTTPError(418), 400, "bad-input"),
        (HTTPError(502), 500, "internal"),
        (RuntimeError("password=hunter2"), 500, "internal"),
        (None, 500, "internal"),
    ],
)
def test_every_error_becomes_a_failure(error: Exception | None, status: int, code: str) -> None:
    failure = error_responses.as_pmh_error(error)
    reply = error_responses.error_reply(failure, "request-1")
    assert (failure.status, reply.code, reply.request_id) == (status, code, "request-1")
    assert reply.message and reply.advice
    assert "hunter2" not in reply.message and "secret" not in reply.message


def test_a_message_that_does_not_fit_is_told_without_its_values() -> None:
    with pytest.raises(ValidationError) as caught:
        SubmitRequest.model_validate({"id": "my work", "release": "my release", "files": "my code"})
    message = error_responses.as_pmh_error(caught.value).message
    assert "id:" in message and "files:" in message
    assert "my code" not in message and "my release" not in message


def test_problems_travel_whole() -> None:
    problem = Problem("a/b.md", "no title", "add one", "cell 4")
    (told,) = error_responses.error_reply(InvalidCourse("faulty", problems=(problem,)), "").problems
    assert (told.file, told.cell, told.message, told.remedy) == ("a/b.md", "cell 4", "no title", "add one")


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [(TooManyRequests("x", retry_after=0.2), "1"), (Unavailable("x", retry_after=2.1), "3"), (Unavailable("x"), "1")],
)
def test_whoever_may_come_back_is_told_when(failure: PmhError, seconds: str) -> None:
    assert error_responses.error_headers(failure)["Retry-After"] == seconds


def test_a_plain_refusal_says_no_time() -> None:
    assert "Retry-After" not in error_responses.error_headers(Conflict("x"))
