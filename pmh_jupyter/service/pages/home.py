"""The home page: the caller's classrooms."""

from __future__ import annotations

from pmh_jupyter.domain.roles import Permission, Role, has_permission
from pmh_jupyter.service import serializers
from pmh_jupyter.service.handler import PageHandler
from pmh_jupyter.storage.records import members


class HomePage(PageHandler):
    """Lists the caller's classrooms, with links to the pages of each."""

    route_name = "page: home"

    async def get(self) -> None:
        memberships = await self.query(members.list_memberships, self.identity.person.id)
        self.render_page(
            "home.html",
            classrooms=[serializers.serialize_classroom(membership) for membership in memberships],
            gradebook_roles={role.value for role in Role if has_permission(role, Permission.VIEW_GRADEBOOK)},
        )


PAGES = (("", HomePage),)
