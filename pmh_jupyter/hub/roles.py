"""Who may do what at the Hub: custom scopes, roles, and what a server's token holds, each with its reason.

Data, and two functions that put it into JupyterHub's shape. docs/reference/scopes.md is generated from the tables below; a test
reads them back from a running Hub.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SERVICE = "pmh"
ACCOUNTS = "pmh-accounts"
CULLER = "idle-culler"


@dataclass(frozen=True)
class Grant:
    """One scope that somebody holds, and why they cannot do without it."""

    scope: str
    reason: str


@dataclass(frozen=True)
class Role:
    """A role of JupyterHub: its name, who holds it (`service`: a service's name; None: every user), and its grants."""

    name: str
    description: str
    service: str | None
    grants: tuple[Grant, ...]


CUSTOM_SCOPES = {
    "custom:pmh:learn": "Take part in one's own classrooms: read lessons, check, submit, see one's own results",
    "custom:pmh:author": "Validate and release courses, where one's role in a classroom allows it",
    "custom:pmh:teach": "See the board and members' work, where one's role in a classroom allows it",
    "custom:pmh:enrol": "Redeem a join code for a person who is just signing up",
}

SERVER_GRANTS = (
    Grant("users:activity!user", "The server reports activity, or it would be culled as idle while somebody works."),
    Grant("access:servers!server", "The server checks that a visitor may enter it."),
    Grant(f"access:services!service={SERVICE}", "The server extension calls the service as the server's owner."),
    Grant("custom:pmh:learn", "The panel's own requests: outline, lessons, checks, submissions, events."),
    Grant(
        "custom:pmh:author", "An instructor validates and releases from a terminal in Lab; a role is needed besides."
    ),
)
"""Every kernel of a server inherits its token: so it holds nothing that reads another person's work."""

SESSION_GRANTS = (
    Grant("custom:pmh:learn", "The student's own progress page."),
    Grant("custom:pmh:author", "An upload from the browser."),
    Grant("custom:pmh:teach", "The board: only a session in a browser, or a token made on purpose, reaches it."),
)
"""What a browser's session of the service may hold, at most what its user has."""

ROLES = (
    Role(
        "user",
        "Everybody who may log in",
        None,
        (
            Grant("self", "JupyterHub's own default: one's own server, tokens and profile."),
            Grant(f"access:services!service={SERVICE}", "Without it the service turns its own students away."),
            Grant("custom:pmh:learn", "A token never holds more than its user: the server's could not learn without."),
            Grant(
                "custom:pmh:author", "The same for releasing; what one may release is decided by the classroom's role."
            ),
            Grant("custom:pmh:teach", "The same for a browser's session; a server's token is not given it."),
        ),
    ),
    Role(
        "pmh-accounts",
        "The page on which people sign up",
        ACCOUNTS,
        (
            Grant(f"access:services!service={SERVICE}", "It calls the service."),
            Grant("custom:pmh:enrol", "It redeems a join code before the person has a token. Nobody else holds this."),
        ),
    ),
    Role(
        "idle-culler",
        "Stops servers that nobody uses",
        CULLER,
        (
            Grant("list:users", "It goes through everybody."),
            Grant("read:users:activity", "It reads when they were last active."),
            Grant("read:servers", "It reads which servers run, and their activity."),
            Grant("delete:servers", "It stops them."),
        ),
    ),
)


def custom_scopes() -> dict[str, dict[str, str]]:
    """The value for `JupyterHub.custom_scopes`."""
    return {scope: {"description": description} for scope, description in CUSTOM_SCOPES.items()}


def load_roles() -> list[dict[str, Any]]:
    """The value for `JupyterHub.load_roles`."""
    return [
        {
            "name": role.name,
            "description": role.description,
            "scopes": [grant.scope for grant in role.grants],
            "services": [role.service] if role.service else [],
        }
        for role in ROLES
    ]
