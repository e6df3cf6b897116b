"""The service's operations on a lesson's files: fetch a release, and record which release was opened."""

from __future__ import annotations

import asyncio

from pydantic import ValidationError

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.server_extension.service_client import ServiceClient
from pmh_jupyter.wire.submission import LessonFilesReply, OpenedReleaseRequest


async def fetch_lesson_files(service: ServiceClient, classroom: str, lesson: str, request_id: str) -> LessonFilesReply:
    """Fetch the current release of a lesson and the one that the student opened last. Raises ServiceError or Unavailable."""
    response = await service.get(f"classrooms/{classroom}/lessons/{lesson}/files", request_id)
    try:
        # In a thread: a release may have tens of megabytes.
        return await asyncio.to_thread(LessonFilesReply.model_validate_json, response.body)
    except ValidationError as error:
        raise Unavailable(
            "The course service sent the lesson in a format that this server does not understand.",
            advice="Restart your server from the hub's control panel to get the hub's version.",
        ) from error


async def record_opened_release(
    service: ServiceClient, classroom: str, lesson: str, release_id: str, request_id: str
) -> None:
    """Make a release the base of the student's next merge. Raises ServiceError or Unavailable."""
    body = OpenedReleaseRequest(release_id=release_id).model_dump_json().encode()
    await service.send("PUT", f"classrooms/{classroom}/lessons/{lesson}/opened", body, request_id)
