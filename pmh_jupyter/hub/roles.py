"""Permissions at the Hub: custom scopes, roles, and the scopes of a server's token, each with its reason.

Two functions turn these tables into JupyterHub's configuration. docs/reference/scopes.md is generated from them, and a test compares
them with a running Hub.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SERVICE_NAME = "pmh"
ACCOUNTS_SERVICE_NAME = "pmh-accounts"
CULLER_SERVICE_NAME = "idle-culler"


@dataclass(frozen=True)
class Grant:
    """A scope, and why its holder needs it."""

    scope: str
    reason: str


@dataclass(frozen=True)
class HubRole:
    """A JupyterHub role. `service`: the name of the service that has it; None: every user has it."""

    name: str
    description: str
    service: str | None
    grants: tuple[Grant, ...]


CUSTOM_SCOPES = {
    "custom:pmh:learn": "Take part in your classrooms: read lessons, check, submit, see your results",
    "custom:pmh:author": "Validate and release courses, if your role in a classroom allows it",
    "custom:pmh:teach": "See the gradebook and members' submissions, if your role in a classroom allows it",
    "custom:pmh:enrol": "Redeem a join code for a person who is signing up",
}

# Scopes of a server's token. Every kernel of the server inherits it, so no scope reads another person's submissions.
SERVER_GRANTS = (
    Grant("users:activity!user", "The server reports activity. Without it, servers in use would be stopped as idle."),
    Grant("access:servers!server", "The server checks whether a visitor may access it."),
    Grant(f"access:services!service={SERVICE_NAME}", "The server extension calls the service as the server's owner."),
    Grant("custom:pmh:learn", "The panel's requests: outline, lessons, checks, submissions, events."),
    Grant(
        "custom:pmh:author",
        "Instructors validate and release from a terminal in Lab. They also need a role in a classroom.",
    ),
)

# Scopes that a browser session of the service can have, if its user has them.
SESSION_GRANTS = (
    Grant("custom:pmh:learn", "The student's progress page."),
    Grant("custom:pmh:author", "An upload from the browser."),
    Grant("custom:pmh:teach", "The gradebook: only a browser session, or a token created for it, may read it."),
)

ROLES = (
    HubRole(
        "user",
        "Everybody who can log in",
        None,
        (
            Grant("self", "JupyterHub's default: your own server, tokens and profile."),
            Grant(f"access:services!service={SERVICE_NAME}", "Without it, the service would reject its own students."),
            Grant("custom:pmh:learn", "A token never has more scopes than its user, so the server's token needs this."),
            Grant(
                "custom:pmh:author", "The same for releasing. The role in a classroom decides what a user may release."
            ),
            Grant("custom:pmh:teach", "The same for a browser session. A server's token does not get it."),
        ),
    ),
    HubRole(
        "pmh-accounts",
        "The sign-up page",
        ACCOUNTS_SERVICE_NAME,
        (
            Grant(f"access:services!service={SERVICE_NAME}", "It calls the service."),
            Grant(
                "custom:pmh:enrol", "It redeems a join code before the person has a token. Nothing else has this scope."
            ),
        ),
    ),
    HubRole(
        "idle-culler",
        "Stops servers that nobody uses",
        CULLER_SERVICE_NAME,
        (
            Grant("list:users", "It iterates over all users."),
            Grant("read:users:activity", "It reads when users were last active."),
            Grant("read:servers", "It reads which servers run and when they were last active."),
            Grant("delete:servers", "It stops them."),
        ),
    ),
)


def build_custom_scopes() -> dict[str, dict[str, str]]:
    """Return the value of `JupyterHub.custom_scopes`."""
    return {scope: {"description": description} for scope, description in CUSTOM_SCOPES.items()}


def build_load_roles() -> list[dict[str, Any]]:
    """Return the value of `JupyterHub.load_roles`."""
    return [
        {
            "name": role.name,
            "description": role.description,
            "scopes": [grant.scope for grant in role.grants],
            "services": [role.service] if role.service else [],
        }
        for role in ROLES
    ]
