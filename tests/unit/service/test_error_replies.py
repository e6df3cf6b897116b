"""Every exception becomes an error reply with a code, a message and advice, and without details that belong in the log only."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from tornado.web import HTTPError

from pmh_jupyter.errors import Conflict, PmhError, TooManyRequests, Unavailable
from pmh_jupyter.service import error_replies
from pmh_jupyter.wire.errors import serialize_error
from pmh_jupyter.wire.submission import SubmitRequest


@pytest.mark.parametrize(
    ("exception", "status", "code"),
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
def test_every_exception_becomes_an_error_reply(exception: Exception | None, status: int, code: str) -> None:
    error = error_replies.to_pmh_error(exception)
    reply = serialize_error(error, "request-1")
    assert (error.status, reply.code, reply.request_id) == (status, code, "request-1")
    assert reply.message and reply.advice
    assert "hunter2" not in reply.message and "secret" not in reply.message


def test_validation_error_names_fields_but_no_values() -> None:
    with pytest.raises(ValidationError) as caught:
        SubmitRequest.model_validate({"id": "my id", "release_id": "my release", "files": "my code"})
    error = error_replies.to_pmh_error(caught.value)
    reply = serialize_error(error, "request-1")
    assert [problem.message.split(":")[0] for problem in reply.problems] == ["id", "release_id", "files"]
    assert not any(value in reply.model_dump_json() for value in ("my id", "my release", "my code"))


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(TooManyRequests("x", retry_after=0.2), "1"), (Unavailable("x", retry_after=2.1), "3"), (Unavailable("x"), "1")],
)
def test_temporary_errors_have_a_retry_after_header(error: PmhError, seconds: str) -> None:
    assert error_replies.make_error_headers(error)["Retry-After"] == seconds


def test_permanent_errors_have_no_retry_after_header() -> None:
    assert "Retry-After" not in error_replies.make_error_headers(Conflict("x"))
