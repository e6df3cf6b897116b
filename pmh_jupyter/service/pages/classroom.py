"""Base class of the pages of one classroom."""

from __future__ import annotations

from typing import Any, ClassVar

from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.roles import Permission, has_permission
from pmh_jupyter.service import serializers
from pmh_jupyter.service.handler import PageHandler
from pmh_jupyter.service.identity import resolve_identity


class ClassroomPage(PageHandler):
    """A page whose URL names a classroom. Before its method runs, `prepare` has checked that the caller's role has `permission`."""

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
        assert identity.membership is not None  # because a permission is required
        self.identity, self.membership = identity, identity.membership

    def render_classroom(self, template: str, nav_entry: str, **values: Any) -> None:
        """Render a template with the classroom's navigation. `nav_entry` names the current entry: "progress" or "gradebook"."""
        self.render_page(
            template,
            classroom=serializers.serialize_classroom(self.membership),
            can_view_gradebook=has_permission(self.membership.role, Permission.VIEW_GRADEBOOK),
            nav_entry=nav_entry,
            **values,
        )
