"""Redeems a classroom's join code at the service for somebody who is just signing up and so has no token yet."""

from __future__ import annotations

import aiohttp
from pydantic import ValidationError

from pmh_jupyter.errors import BadInput, PmhError, Unavailable
from pmh_jupyter.wire.base import ErrorReply
from pmh_jupyter.wire.people import ClassroomReply, EnrolRequest

REQUEST_TIMEOUT_SECONDS = 15


class BadJoinCode(BadInput):
    """No classroom that can be joined has this code."""

    code = "bad-join-code"
    status = 404
    advice = "Ask your instructor for the code; it is on the classroom's page."


async def enrol(service_url: str, token: str, name: str, join_code: str) -> ClassroomReply:
    """Makes `name` a member of the classroom with that code. Raises BadJoinCode for a wrong one, Unavailable when none can be tried."""
    try:
        request = EnrolRequest(name=name, join_code=join_code.strip())
    except ValidationError as error:
        raise BadJoinCode("No classroom has this code.") from error
    try:
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout, headers={"Authorization": f"token {token}"}) as session,
            session.post(f"{service_url}/api/enrolments", json=request.model_dump()) as reply,
        ):
            body = await reply.read()
            status = reply.status
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable("The join code cannot be tried now, so no account was made.") from error
    if status < 300:
        return ClassroomReply.model_validate_json(body)
    raise _enrolment_error(status, body)


def _enrolment_error(status: int, body: bytes) -> PmhError:
    """What the service's no means for whoever is signing up."""
    if status in (400, 404, 409, 410, 422):
        return BadJoinCode(_error_message(body) or "No classroom has this code.")
    if status == 429:
        return Unavailable("Too many people are signing up at this moment. Try again in a minute.")
    return Unavailable("The join code cannot be tried now, so no account was made.")


def _error_message(body: bytes) -> str:
    try:
        return ErrorReply.model_validate_json(body).message
    except ValidationError:
        return ""
