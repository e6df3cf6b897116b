"""Roles of a classroom and what each may do. Permissions are data, and an unknown one is refused when the module loads.

A route asks for a permission, never for a role, so that a new role is a row here and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a member of a classroom is, from least to most."""

    STUDENT = "student"
    ASSISTANT = "assistant"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return list(Role).index(self)


class Permission(StrEnum):
    """What a role may be allowed to do."""

    LEARN = "learn"
    VIEW_GRADEBOOK = "view-gradebook"
    VIEW_SUBMISSIONS = "view-submissions"
    RELEASE = "release"
    ADOPT = "adopt"
    REGRADE = "regrade"
    SET_LIMITS = "set-limits"
    MANAGE_MEMBERS = "manage-members"


# What each role adds to the one before it.
ADDED_PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "student": ("learn",),
    "assistant": ("view-gradebook", "view-submissions"),
    "instructor": ("release", "adopt", "regrade", "set-limits"),
    "admin": ("manage-members",),
}


def _expand_permissions(added: Mapping[str, tuple[str, ...]]) -> dict[Role, frozenset[Permission]]:
    """Everything each role may do; raises ValueError for a role or permission that does not exist or is given to nobody."""
    inherited: set[Permission] = set()
    granted: dict[Role, frozenset[Permission]] = {}
    for role in Role:
        if role not in added:
            raise ValueError(f"role {role.value} has no permissions listed")
        inherited |= {Permission(name) for name in added[role]}
        granted[role] = frozenset(inherited)
    unknown_roles = set(added) - set(Role)
    unassigned_permissions = set(Permission) - inherited
    if unknown_roles or unassigned_permissions:
        raise ValueError(
            f"unknown roles {sorted(unknown_roles)}, permissions of nobody {sorted(unassigned_permissions)}"
        )
    return granted


ROLE_PERMISSIONS = _expand_permissions(ADDED_PERMISSIONS)


def has_permission(role: Role, permission: Permission) -> bool:
    """True if the role holds the permission."""
    return permission in ROLE_PERMISSIONS[role]
