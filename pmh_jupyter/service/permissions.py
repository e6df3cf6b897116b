"""What each route asks of its caller, as data: a scope of the token, a permission in the classroom, whether a browser session will do.

Everything is looked at when a route is made, which is when its module loads: an unknown scope or permission stops the service
from starting, and so does a route that says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.errors import NotAllowed
from pmh_jupyter.service.hub_client import Caller


class Scope(StrEnum):
    """The custom scopes that the Hub knows for us. What a server's token carries is said in the Hub's configuration."""

    LEARN = "custom:pmh:learn"
    AUTHOR = "custom:pmh:author"
    TEACH = "custom:pmh:teach"
    ENROL = "custom:pmh:enrol"


@dataclass(frozen=True)
class AccessRule:
    """What the caller of one method must have.

    `session`: a browser session of the service will do in place of the scope. `permission`: what the person's role in the
    classroom that the address names must hold (None: the address names no classroom).
    """

    scope: Scope
    allows_session: bool = False
    permission: Permission | None = None

    def __post_init__(self) -> None:
        Scope(self.scope)
        if self.permission is not None:
            Permission(self.permission)

    def require_scope(self, caller: Caller) -> None:
        """Raises NotAllowed for a caller who lacks the scope; the classroom's permission is checked where the classroom is known."""
        if self.allows_session and caller.has_session:
            return
        if self.scope not in caller.scopes:
            advice = "Open it in the browser, at the course's own pages." if self.allows_session else None
            raise NotAllowed(f"This token does not carry the scope {self.scope}.", advice=advice)


PUBLIC = None
"""The right of a route that needs no identity. Written down, so that forgetting a right is not the same as needing none."""
