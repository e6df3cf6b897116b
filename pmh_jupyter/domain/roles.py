"""Roles in a classroom and their permissions. An unknown role or permission raises ValueError when the module is imported.

Routes require permissions, never roles, so a new role only needs an entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """Role of a member, from the fewest permissions to the most."""

    STUDENT = "student"
    ASSISTANT = "assistant"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return list(Role).index(self)


class Permission(StrEnum):
    """A permission that roles can have."""

    LEARN = "learn"
    PREVIEW_LESSONS = "preview-lessons"
    SUBMIT_ANYTIME = "submit-anytime"
    VIEW_GRADEBOOK = "view-gradebook"
    VIEW_SUBMISSIONS = "view-submissions"
    RELEASE_COURSES = "release-courses"
    ADOPT_VERSIONS = "adopt-versions"
    REGRADE_LESSONS = "regrade-lessons"
    SET_LIMITS = "set-limits"
    MANAGE_MEMBERS = "manage-members"


# The permissions that each role has in addition to those of the previous role.
ADDED_PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "student": ("learn",),
    "assistant": ("preview-lessons", "submit-anytime", "view-gradebook", "view-submissions"),
    "instructor": ("release-courses", "adopt-versions", "regrade-lessons", "set-limits"),
    "admin": ("manage-members",),
}


def _expand_permissions(added: Mapping[str, tuple[str, ...]]) -> dict[Role, frozenset[Permission]]:
    """Return all permissions of each role. Raises ValueError for an unknown role or permission, and for one that no role has."""
    inherited_permissions: set[Permission] = set()
    permissions_by_role: dict[Role, frozenset[Permission]] = {}
    for role in Role:
        if role not in added:
            raise ValueError(f"role {role.value} has no permissions listed")
        inherited_permissions |= {Permission(name) for name in added[role]}
        permissions_by_role[role] = frozenset(inherited_permissions)
    unknown_roles = set(added) - set(Role)
    unassigned_permissions = set(Permission) - inherited_permissions
    if unknown_roles or unassigned_permissions:
        raise ValueError(
            f"unknown roles {sorted(unknown_roles)}, permissions that no role has {sorted(unassigned_permissions)}"
        )
    return permissions_by_role


ROLE_PERMISSIONS = _expand_permissions(ADDED_PERMISSIONS)


def has_permission(role: Role, permission: Permission) -> bool:
    """Return whether the role holds the permission."""
    return permission in ROLE_PERMISSIONS[role]
