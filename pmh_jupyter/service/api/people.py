"""Who is asking, and joining a classroom."""

from __future__ import annotations

from pmh_jupyter.service import shown
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.rights import Right, Scope
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.records import members
from pmh_jupyter.wire.people import ClassroomReply, JoinRequest, MeReply


class Me(ApiHandler):
    """The person behind the request and their classrooms."""

    async def get(self) -> None:
        person = self.standing.person
        memberships = await self.service.run(members.memberships, self.service.database, person.id)
        self.send(shown.me(person, memberships))


class Join(ApiHandler):
    """Redeems a join code for the caller."""

    async def post(self) -> None:
        request = await self.read(JoinRequest)
        membership = await self.service.run(
            members.join, self.service.database, self.standing.person.id, request.join_code
        )
        self.service.feed.poke()
        self.send(shown.classroom(membership))


LEARN = Right(Scope.LEARN, session=True)

ROUTES = (
    Route("me", Me, {"GET": Operation("Who is asking, and in which classrooms", LEARN, MeReply)}),
    Route(
        "join",
        Join,
        {
            "POST": Operation(
                "Redeem a join code",
                LEARN,
                ClassroomReply,
                JoinRequest,
                dear=True,
            )
        },
    ),
)
