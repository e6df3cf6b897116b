"""What one member checked and handed in, with every verdict, for staff."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.service import shown
from pmh_jupyter.service.pages.classroom import ClassroomPage
from pmh_jupyter.storage.records import members, staff


class Member(ClassroomPage):
    """A member's work, newest first; the address of a cell of the board ends with the work's id."""

    permission: ClassVar[Permission] = Permission.SEE_WORK
    route_name = "page: member"

    async def get(self, classroom: str, person: str) -> None:
        database, who = self.service.database, UUID(person)
        found = await self.service.run(staff.member_work, database, classroom, who)
        member = await self.service.run(members.membership, database, who, classroom)
        self.render_classroom(
            "member.html", "board", member=member.person.name, work=[shown.staff_work(one) for one in found]
        )


PAGES = (("classrooms/{classroom}/members/{person}", Member),)
