"""Errors as replies: our own, those of Jupyter and tornado, those of the service, and unexpected ones."""

from __future__ import annotations

import pytest
from tornado.web import HTTPError

from pmh_jupyter.errors import BadInput, Unavailable
from pmh_jupyter.server_extension.error_replies import ServiceError, to_error_response
from pmh_jupyter.server_extension.request_bodies import parse_body
from pmh_jupyter.wire.base import ErrorReply
from pmh_jupyter.wire.errors import MAX_PROBLEMS
from pmh_jupyter.wire.lab import LabCheckRequest

REPLY = ErrorReply(code="conflict", message="Closed.", advice="Ask.", request_id="theirs")


def test_error_of_the_service_is_unchanged() -> None:
    response = to_error_response(ServiceError(409, REPLY, 3.0), 500, "ours")
    assert (response.status, response.reply, response.retry_after) == (409, REPLY, 3.0)


def test_own_error_has_its_status_and_the_request_id() -> None:
    response = to_error_response(Unavailable("Down.", retry_after=2.0), 500, "ours")
    assert (response.status, response.retry_after) == (503, 2.0)
    assert (response.reply.code, response.reply.message, response.reply.request_id) == ("unavailable", "Down.", "ours")


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "not-logged-in"), (403, "not-allowed"), (404, "not-found"), (405, "bad-input"), (413, "bad-input")],
)
def test_error_of_tornado_keeps_its_status_and_gets_a_code(status: int, code: str) -> None:
    response = to_error_response(HTTPError(status, "Reason."), status, "ours")
    assert (response.status, response.reply.code, response.reply.message) == (status, code, "Reason.")


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), HTTPError(500, "secret"), None])
def test_unexpected_error_reveals_no_details(error: Exception | None) -> None:
    response = to_error_response(error, 500, "ours")
    assert (response.status, response.reply.code, response.reply.request_id) == (500, "internal", "ours")
    assert "secret" not in response.reply.model_dump_json()


def test_each_invalid_field_of_a_request_is_named() -> None:
    with pytest.raises(BadInput) as raised:
        parse_body(LabCheckRequest, b'{"id": "no", "exercises": "swap", "unknown": 1}')
    fields = {problem.message.split(":")[0] for problem in raised.value.problems}
    assert fields == {"id", "exercises", "unknown"}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"id": "no"}', b"[]", b"{ half"])
def test_malformed_request_is_rejected_with_its_problems(body: bytes) -> None:
    with pytest.raises(BadInput) as raised:
        parse_body(LabCheckRequest, body)
    assert raised.value.problems


def test_number_of_problems_is_limited() -> None:
    body = b"{%s}" % b",".join(b'"field%d": 1' % number for number in range(MAX_PROBLEMS + 10))
    with pytest.raises(BadInput) as raised:
        parse_body(LabCheckRequest, body)
    assert len(raised.value.problems) == MAX_PROBLEMS
