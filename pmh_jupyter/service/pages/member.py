"""What one member checked and handed in, with every verdict, for staff."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.service import serializers
from pmh_jupyter.service.pages.classroom import ClassroomPage
from pmh_jupyter.storage.records import members, staff


class MemberPage(ClassroomPage):
    """A member's work, newest first; the address of a cell of the board ends with the work's id."""

    permission: ClassVar[Permission] = Permission.VIEW_SUBMISSIONS
    route_name = "page: member"

    async def get(self, classroom: str, person: str) -> None:
        database, person_id = self.service.database, UUID(person)
        member_submissions = await self.service.run_blocking(
            staff.list_member_submissions, database, classroom, person_id
        )
        membership = await self.service.run_blocking(members.get_membership, database, person_id, classroom)
        self.render_classroom(
            "member.html",
            "board",
            member=membership.person.name,
            work=[serializers.member_submission_reply(member_submission) for member_submission in member_submissions],
        )


PAGES = (("classrooms/{classroom}/members/{person}", MemberPage),)
