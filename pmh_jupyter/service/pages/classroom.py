"""A page of one classroom: its address names the classroom, and its class the permission that it takes."""

from __future__ import annotations

from typing import Any, ClassVar

from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.roles import Permission, may
from pmh_jupyter.service import shown
from pmh_jupyter.service.handler import PageHandler
from pmh_jupyter.service.members import standing


class ClassroomPage(PageHandler):
    """When its method runs, the caller is a member whose role holds `permission`."""

    permission: ClassVar[Permission]
    membership: Membership

    async def prepare(self) -> None:
        await super().prepare()
        if self._finished:
            return
        slug = self.path_kwargs["classroom"]
        found = await self.service.run(standing, self.service.database, self.caller.name, slug, self.permission)
        assert found.membership is not None  # a permission was asked for
        self.standing, self.membership = found, found.membership

    def render_classroom(self, template: str, place: str, **values: Any) -> None:
        """A template with the classroom's head: `place` names the entry of the navigation that is this page."""
        self.render_page(
            template,
            classroom=shown.classroom(self.membership),
            staff=may(self.membership.role, Permission.SEE_BOARD),
            place=place,
            **values,
        )
