"""Access rules as data: the scope that a route requires of the token, the permission that it requires in the classroom, and whether a
browser session is accepted.

Rules are validated when the module of a route is imported, so the service does not start if a scope or permission is unknown, or if an
operation has no access rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pmh_jupyter.domain.roles import Permission
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
