"""The caller and their classrooms, and joining a classroom."""

from __future__ import annotations

from pmh_jupyter.service import serializers
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.permissions import LEARN_AS_SELF
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.records import members
from pmh_jupyter.wire.people import ClassroomReply, JoinRequest, MeReply


class MeHandler(ApiHandler):
    """Returns the caller and the classrooms that they have joined."""

    async def get(self) -> None:
        person = self.identity.person
        memberships = await self.query(members.list_memberships, person.id)
        self.send(serializers.serialize_me(person, memberships))


class JoinHandler(ApiHandler):
    """Redeems a join code for the caller."""

    async def post(self) -> None:
        request = await self.read_body(JoinRequest)
        membership = await self.query(members.redeem_join_code, self.identity.person.id, request.join_code)
        self.service.broadcaster.notify()
        self.send(serializers.serialize_classroom(membership))


ROUTES = (
    Route("me", MeHandler, {"GET": Operation("Get the caller and their classrooms", LEARN_AS_SELF, MeReply)}),
    Route(
        "join",
        JoinHandler,
        {
            "POST": Operation(
                "Redeem a join code",
                LEARN_AS_SELF,
                ClassroomReply,
                JoinRequest,
                has_strict_rate_limit=True,
            )
        },
    ),
)
