"""The first page: which classrooms am I in."""

from __future__ import annotations

from pmh_jupyter.domain.roles import Permission, Role, may
from pmh_jupyter.service import shown
from pmh_jupyter.service.handler import PageHandler
from pmh_jupyter.storage.records import members


class Home(PageHandler):
    """The caller's classrooms, with the ways into each."""

    route_name = "page: home"

    async def get(self) -> None:
        found = await self.service.run(members.memberships, self.service.database, self.standing.person.id)
        self.render_page(
            "home.html",
            classrooms=[shown.classroom(one) for one in found],
            staff_roles={role.value for role in Role if may(role, Permission.SEE_BOARD)},
        )


PAGES = (("", Home),)
