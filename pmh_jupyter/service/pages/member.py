"""The page with all checks and submissions of a member, for staff."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.service import serializers
from pmh_jupyter.service.pages.classroom import ClassroomPage
from pmh_jupyter.storage.records import members, staff


class MemberPage(ClassroomPage):
    """Lists a member's submissions, newest first. Cells of the gradebook link to a submission by its id as URL fragment."""

    permission: ClassVar[Permission] = Permission.VIEW_SUBMISSIONS
    route_name = "page: member"

    async def get(self, classroom: str, person: str) -> None:
        person_id = UUID(person)
        member_submissions = await self.query(staff.list_member_submissions, classroom, person_id)
        lesson_titles = await self.query(staff.load_lesson_titles, classroom)
        membership = await self.query(members.get_membership, person_id, classroom)
        self.render_classroom(
            "member.html",
            "gradebook",
            member_name=membership.person.name,
            lesson_titles=lesson_titles,
            submissions=list(map(serializers.serialize_member_submission, member_submissions)),
        )


PAGES = (("classrooms/{classroom}/members/{person}", MemberPage),)
