"""Permissions are data, and wrong data is refused when the module loads."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain import roles
from pmh_jupyter.domain.roles import Permission, Role, has_permission


def test_each_role_may_what_the_one_before_may() -> None:
    granted = [roles.ROLE_PERMISSIONS[role] for role in Role]
    assert all(less < more for less, more in zip(granted, granted[1:], strict=False))
    assert [role.rank for role in Role] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("permission", "least"),
    [
        (Permission.LEARN, Role.STUDENT),
        (Permission.VIEW_GRADEBOOK, Role.ASSISTANT),
        (Permission.VIEW_SUBMISSIONS, Role.ASSISTANT),
        (Permission.REGRADE, Role.INSTRUCTOR),
        (Permission.SET_LIMITS, Role.INSTRUCTOR),
        (Permission.RELEASE, Role.INSTRUCTOR),
        (Permission.ADOPT, Role.INSTRUCTOR),
        (Permission.MANAGE_MEMBERS, Role.ADMIN),
    ],
)
def test_the_least_role_that_may(permission: Permission, least: Role) -> None:
    assert [role for role in Role if has_permission(role, permission)] == list(Role)[least.rank :]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"student": ("fly",)}, "fly"),
        ({"guest": ()}, "guest"),
        ({"admin": ()}, "manage-members"),
    ],
)
def test_wrong_data_is_refused(change: dict[str, tuple[str, ...]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        roles._expand_permissions({**roles.ADDED_PERMISSIONS, **change})


def test_a_role_without_data_is_refused() -> None:
    with pytest.raises(ValueError, match="assistant"):
        roles._expand_permissions({"student": ("learn",)})
