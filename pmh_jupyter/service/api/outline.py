"""The outline of a classroom for one of its members."""

from __future__ import annotations

from pmh_jupyter.service import serializers
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.permissions import LEARN_IN_CLASSROOM
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.records import outline
from pmh_jupyter.wire.outline import OutlineReply


class OutlineHandler(ApiHandler):
    """Returns units, lessons, exercises and achievements, with the caller's progress."""

    async def get(self, classroom: str) -> None:
        member_outline = await self.query(outline.load_outline, self.identity.person.id, classroom)
        self.send(serializers.serialize_outline(member_outline))


ROUTES = (
    Route(
        "classrooms/{classroom}/outline",
        OutlineHandler,
        {
            "GET": Operation(
                "Get the course outline with the caller's progress",
                LEARN_IN_CLASSROOM,
                OutlineReply,
            )
        },
    ),
)
