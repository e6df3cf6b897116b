"""A page of one classroom: its address names the classroom, and its class the permission that it takes."""

from __future__ import annotations

from typing import Any, ClassVar

from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.roles import Permission, has_permission
from pmh_jupyter.service import serializers
from pmh_jupyter.service.handler import PageHandler
from pmh_jupyter.service.identity import resolve_identity


class ClassroomPage(PageHandler):
    """When its method runs, the caller is a member whose role holds `permission`."""

    permission: ClassVar[Permission]
    membership: Membership

    async def prepare(self) -> None:
        await super().prepare()
        if self._finished:
            return
        slug = self.path_kwargs["classroom"]
        identity = await self.service.run_blocking(
            resolve_identity, self.service.database, self.caller.name, slug, self.permission
        )
        assert identity.membership is not None  # a permission was asked for
        self.identity, self.membership = identity, identity.membership

    def render_classroom(self, template: str, nav_entry: str, **values: Any) -> None:
        """A template with the classroom's head: `place` names the entry of the navigation that is this page."""
        self.render_page(
            template,
            classroom=serializers.classroom_reply(self.membership),
            staff=has_permission(self.membership.role, Permission.VIEW_GRADEBOOK),
            place=nav_entry,
            **values,
        )
