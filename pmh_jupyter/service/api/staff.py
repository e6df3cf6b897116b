"""The gradebook, and the submissions of members, for staff. Tokens of users' servers do not have the scope of these routes."""

from __future__ import annotations

from uuid import UUID

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.service import serializers
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.permissions import AccessRule, Scope
from pmh_jupyter.service.routes import Operation, QueryParameter, Route
from pmh_jupyter.storage.records import staff
from pmh_jupyter.wire.staff import GradebookReply, MemberSubmissionListReply

PAGE_PARAMETER = QueryParameter("page", "Page of members, from 1", {"type": "integer", "minimum": 1, "default": 1})


class GradebookHandler(ApiHandler):
    """Returns the gradebook, members × assignments (a column for each exercise), one page of members at a time."""

    async def get(self, classroom: str) -> None:
        page = self.get_query_int("page", 1, minimum=1)
        gradebook = await self.query(staff.load_gradebook, classroom, page)
        self.send(serializers.serialize_gradebook(gradebook))


class MemberSubmissionsHandler(ApiHandler):
    """Lists the submissions of a member, with verdicts and flags."""

    async def get(self, classroom: str, person: str) -> None:
        member_submissions = await self.query(staff.list_member_submissions, classroom, UUID(person))
        self.send(
            MemberSubmissionListReply(
                submissions=tuple(map(serializers.serialize_member_submission, member_submissions))
            )
        )


ROUTES = (
    Route(
        "classrooms/{classroom}/gradebook",
        GradebookHandler,
        {
            "GET": Operation(
                "Get a page of the gradebook",
                AccessRule(Scope.TEACH, allows_session=True, permission=Permission.VIEW_GRADEBOOK),
                GradebookReply,
                query_parameters=(PAGE_PARAMETER,),
            )
        },
    ),
    Route(
        "classrooms/{classroom}/members/{person}/submissions",
        MemberSubmissionsHandler,
        {
            "GET": Operation(
                "List a member's submissions, newest first",
                AccessRule(Scope.TEACH, allows_session=True, permission=Permission.VIEW_SUBMISSIONS),
                MemberSubmissionListReply,
            )
        },
    ),
)
