"""What staff see of a classroom's members. A server's token does not reach it: its scope is not one that servers get."""

from __future__ import annotations

from uuid import UUID

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.service import shown
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.rights import Right, Scope
from pmh_jupyter.service.routes import Operation, Query, Route
from pmh_jupyter.storage.records import staff
from pmh_jupyter.wire.staff import BoardReply, StaffWorkList

PAGE = Query("page", "Page of members, from 1", {"type": "integer", "minimum": 1, "default": 1})


class Board(ApiHandler):
    """Members × exercises, a page of members at a time."""

    async def get(self, classroom: str) -> None:
        page = self.number("page", 1, least=1)
        seen = await self.service.run(staff.board, self.service.database, classroom, page)
        self.send(shown.board(seen))


class MemberWork(ApiHandler):
    """A member's work with verdicts and flags."""

    async def get(self, classroom: str, person: str) -> None:
        found = await self.service.run(staff.member_work, self.service.database, classroom, UUID(person))
        self.send(StaffWorkList(work=tuple(map(shown.staff_work, found))))


ROUTES = (
    Route(
        "classrooms/{classroom}/board",
        Board,
        {
            "GET": Operation(
                "A page of the classroom's board",
                Right(Scope.TEACH, session=True, permission=Permission.SEE_BOARD),
                BoardReply,
                query=(PAGE,),
            )
        },
    ),
    Route(
        "classrooms/{classroom}/members/{person}/work",
        MemberWork,
        {
            "GET": Operation(
                "A member's work, newest first",
                Right(Scope.TEACH, session=True, permission=Permission.SEE_WORK),
                StaffWorkList,
            )
        },
    ),
)
