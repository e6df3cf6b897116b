"""Base class of the pages of one classroom."""

from __future__ import annotations

from typing import Any, ClassVar

from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.roles import Permission, has_permission
from pmh_jupyter.service import serializers
from pmh_jupyter.service.handler import PageHandler


class ClassroomPage(PageHandler):
    """A page whose URL names a classroom. Requires a permission, so the caller is a member."""

    permission: ClassVar[Permission]

    @property
    def membership(self) -> Membership:
        """The caller's membership of the classroom."""
        membership = self.identity.membership
        assert membership is not None  # because a permission is required
        return membership

    def render_classroom(self, template: str, nav_entry: str, **values: Any) -> None:
        """Render a template with the classroom's navigation. `nav_entry` names the current entry: "progress" or "gradebook"."""
        self.render_page(
            template,
            classroom=serializers.serialize_classroom(self.membership),
            can_view_gradebook=has_permission(self.membership.role, Permission.VIEW_GRADEBOOK),
            nav_entry=nav_entry,
            **values,
        )
