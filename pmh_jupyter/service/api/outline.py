"""The map of a classroom for one of its members."""

from __future__ import annotations

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.service import shown
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.rights import Right, Scope
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.records import outline
from pmh_jupyter.wire.outline import OutlineReply


class Outline(ApiHandler):
    """Units, lessons, exercises, awards, and where the caller stands in them."""

    async def get(self, classroom: str) -> None:
        seen = await self.service.run(outline.outline, self.service.database, self.standing.person.id, classroom)
        self.send(shown.map_of(seen))


ROUTES = (
    Route(
        "classrooms/{classroom}/outline",
        Outline,
        {
            "GET": Operation(
                "The course outline and the caller's progress",
                Right(Scope.LEARN, session=True, permission=Permission.LEARN),
                OutlineReply,
            )
        },
    ),
)
