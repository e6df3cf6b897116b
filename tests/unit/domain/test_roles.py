"""Permissions of roles, and validation of the table."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain import roles
from pmh_jupyter.domain.roles import Permission, Role, has_permission


def test_each_role_has_more_permissions_than_the_previous_one() -> None:
    granted = [roles.ROLE_PERMISSIONS[role] for role in Role]
    assert all(previous < following for previous, following in zip(granted, granted[1:], strict=False))
    assert [role.rank for role in Role] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("permission", "lowest_role"),
    [
        (Permission.LEARN, Role.STUDENT),
        (Permission.VIEW_GRADEBOOK, Role.ASSISTANT),
        (Permission.VIEW_SUBMISSIONS, Role.ASSISTANT),
        (Permission.REGRADE_LESSONS, Role.INSTRUCTOR),
        (Permission.SET_LIMITS, Role.INSTRUCTOR),
        (Permission.RELEASE_COURSES, Role.INSTRUCTOR),
        (Permission.ADOPT_VERSIONS, Role.INSTRUCTOR),
        (Permission.MANAGE_MEMBERS, Role.ADMIN),
    ],
)
def test_permission_is_granted_from_its_lowest_role_on(permission: Permission, lowest_role: Role) -> None:
    assert [role for role in Role if has_permission(role, permission)] == list(Role)[lowest_role.rank :]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"student": ("fly",)}, "fly"),
        ({"guest": ()}, "guest"),
        ({"admin": ()}, "manage-members"),
    ],
)
def test_unknown_role_or_permission_raises_value_error(change: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        roles._expand_permissions({**roles.ADDED_PERMISSIONS, **change})


def test_role_without_an_entry_raises_value_error() -> None:
    with pytest.raises(ValueError, match="assistant"):
        roles._expand_permissions({"student": ("learn",)})
