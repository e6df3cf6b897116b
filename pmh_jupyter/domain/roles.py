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
    SEE_BOARD = "see-board"
    SEE_WORK = "see-work"
    RELEASE = "release"
    ADOPT = "adopt"
    REGRADE = "regrade"
    SET_LIMITS = "set-limits"
    MANAGE_MEMBERS = "manage-members"


# What each role adds to the one before it.
ADDS: Mapping[str, tuple[str, ...]] = {
    "student": ("learn",),
    "assistant": ("see-board", "see-work"),
    "instructor": ("release", "adopt", "regrade", "set-limits"),
    "admin": ("manage-members",),
}


def _expand(adds: Mapping[str, tuple[str, ...]]) -> dict[Role, frozenset[Permission]]:
    """Everything each role may do; raises ValueError for a role or permission that does not exist or is given to nobody."""
    held: set[Permission] = set()
    granted: dict[Role, frozenset[Permission]] = {}
    for role in Role:
        if role not in adds:
            raise ValueError(f"role {role.value} has no permissions listed")
        held |= {Permission(name) for name in adds[role]}
        granted[role] = frozenset(held)
    unknown = set(adds) - set(Role)
    idle = set(Permission) - held
    if unknown or idle:
        raise ValueError(f"unknown roles {sorted(unknown)}, permissions of nobody {sorted(idle)}")
    return granted


PERMISSIONS = _expand(ADDS)


def may(role: Role, permission: Permission) -> bool:
    """True if the role holds the permission."""
    return permission in PERMISSIONS[role]
