"""Joining a classroom during sign-up, on behalf of the new user. Only the Hub's authenticator has the scope for it."""

from __future__ import annotations

from pmh_jupyter.domain.people import Membership
from pmh_jupyter.service import serializers
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.permissions import AccessRule, Scope
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import members, people
from pmh_jupyter.wire.people import ClassroomReply, EnrolRequest


class EnrolmentsHandler(ApiHandler):
    """Redeems a join code for the Hub user of this name."""

    async def post(self) -> None:
        request = await self.read_body(EnrolRequest)
        membership = await self.query(_enrol, request.name, request.join_code)
        self.service.broadcaster.notify()
        self.send(serializers.serialize_classroom(membership))


def _enrol(database: Database, name: str, join_code: str) -> Membership:
    person = people.find_or_create_person(database, name)
    return members.redeem_join_code(database, person.id, join_code)


ROUTES = (
    Route(
        "enrolments",
        EnrolmentsHandler,
        {
            "POST": Operation(
                "Redeem a join code for a user who is signing up",
                AccessRule(Scope.ENROL),
                ClassroomReply,
                EnrolRequest,
                needs_person=False,
            )
        },
    ),
)
