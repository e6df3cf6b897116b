"""Access rules as data: the scope that a route requires of the token, the permission that it requires in the classroom, and whether a
browser session is accepted.

Rules are validated when the module of a route is imported, so the service does not start if a scope or permission is unknown, or if an
operation has no access rule.

The URL of a course names no classroom, so `require_releaser` and `require_course_release` check all memberships of the caller instead.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from pmh_jupyter.domain.people import Classroom, Membership
from pmh_jupyter.domain.roles import Permission, has_permission
from pmh_jupyter.errors import NotAllowed
from pmh_jupyter.service.hub_client import Caller


class Scope(StrEnum):
    """The Hub's custom scopes for this project. The Hub's configuration (`hub/roles.py`) decides which tokens have them."""

    LEARN = "custom:pmh:learn"
    AUTHOR = "custom:pmh:author"
    TEACH = "custom:pmh:teach"
    ENROL = "custom:pmh:enrol"


@dataclass(frozen=True)
class AccessRule:
    """Requirements for the caller of an operation.

    allows_session: a browser session of the service is accepted in place of the scope.
    permission: must be among those of the caller's role in the classroom of the URL; None if the URL names no classroom.
    """

    scope: Scope
    allows_session: bool = False
    permission: Permission | None = None

    def __post_init__(self) -> None:
        Scope(self.scope)
        if self.permission is not None:
            Permission(self.permission)

    def require_scope(self, caller: Caller) -> None:
        """Raise NotAllowed if the caller does not have the scope. `resolve_identity` checks the permission."""
        if self.allows_session and caller.has_session:
            return
        if self.scope not in caller.scopes:
            alternative = ", or open the page in your browser" if self.allows_session else ""
            raise NotAllowed(
                f"This token does not have the scope {self.scope}.",
                advice=f"Create a token with this scope on the hub's Token page{alternative}.",
            )


# The access rule of an operation that needs no login. Has a name, so that a rule cannot be omitted by mistake.
PUBLIC = None

# For what belongs to the caller, in any classroom or in none.
LEARN_AS_SELF = AccessRule(Scope.LEARN, allows_session=True)

# For the members of the classroom in the URL.
LEARN_IN_CLASSROOM = AccessRule(Scope.LEARN, allows_session=True, permission=Permission.LEARN)


def require_releaser(memberships: Collection[Membership]) -> None:
    """Raise NotAllowed unless a person with these memberships may release in some classroom.

    The scope is not enough, because every user's token has it: students could occupy the grader with a course of endless loops.
    """
    if not _list_classrooms(memberships, Permission.RELEASE_COURSES):
        raise NotAllowed("You are not an instructor of any classroom.")


def require_course_release(
    memberships: Collection[Membership], course: str, classrooms: Collection[str], *, is_new_course: bool
) -> None:
    """Raise NotAllowed unless a person with these memberships may release this course, and may adopt it for these classrooms.

    A person who may release in a classroom may release the course of that classroom, and any course that has no version yet.
    """
    releasable_courses = {classroom.course for classroom in _list_classrooms(memberships, Permission.RELEASE_COURSES)}
    if not releasable_courses or (course not in releasable_courses and not is_new_course):
        raise NotAllowed("You are not an instructor of any classroom that uses this course.")
    adoptable_classrooms = {classroom.slug for classroom in _list_classrooms(memberships, Permission.ADOPT_VERSIONS)}
    for slug in classrooms:
        if slug not in adoptable_classrooms:
            raise NotAllowed(f"You are not allowed to change the course of the classroom {slug!r}.")


def _list_classrooms(memberships: Collection[Membership], permission: Permission) -> list[Classroom]:
    return [membership.classroom for membership in memberships if has_permission(membership.role, permission)]
