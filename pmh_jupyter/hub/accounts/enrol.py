"""Redeems a classroom's join code at the service for a person who is signing up, and therefore has no token yet."""

from __future__ import annotations

import httpx
from pydantic import ValidationError

from pmh_jupyter.errors import BadInput, PmhError, Unavailable
from pmh_jupyter.wire.errors import parse_error_reply
from pmh_jupyter.wire.people import ClassroomReply, EnrolRequest

REQUEST_TIMEOUT_SECONDS = 15


class BadJoinCode(BadInput):
    """No open classroom has this join code."""

    code = "bad-join-code"
    status = 404
    advice = "Ask your instructor for the join code."


async def enrol(service_url: str, token: str, name: str, join_code: str) -> ClassroomReply:
    """Make `name` a member of the classroom with this join code.

    Raises BadJoinCode if no classroom has it, Unavailable if the service does not answer or is busy.
    """
    try:
        request = EnrolRequest(name=name, join_code=join_code.strip())
    except ValidationError as error:
        raise BadJoinCode("No classroom has this code.") from error
    try:
        # The machine's proxy settings do not apply to the service.
        async with httpx.AsyncClient(timeout=REQUEST_TIMEOUT_SECONDS, trust_env=False) as client:
            reply = await client.post(
                f"{service_url}/api/enrolments",
                json=request.model_dump(),
                headers={"Authorization": f"token {token}"},
            )
    except httpx.HTTPError as error:
        raise _make_unavailable_error() from error
    if reply.is_success:
        return ClassroomReply.model_validate_json(reply.content)
    raise _make_enrolment_error(reply.status_code, reply.content)


def _make_enrolment_error(status: int, body: bytes) -> PmhError:
    """Return the error that the sign-up page shows for a reply of the service."""
    if status in (400, 404):
        reply = parse_error_reply(body)
        return BadJoinCode(reply.message if reply and reply.message else "No classroom has this code.")
    if status == 429:
        return Unavailable("Too many people are signing up right now.", advice="Try again in a minute.")
    return _make_unavailable_error()


def _make_unavailable_error() -> Unavailable:
    return Unavailable(
        "The join code cannot be checked now, so no account was created.",
        advice="Try again in a moment. If the problem persists, contact your hub administrator.",
    )
