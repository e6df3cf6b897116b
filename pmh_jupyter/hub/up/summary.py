"""What a person who has just started a hub needs to know: the address, who can log in and how, where the data lies."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from pmh_jupyter.config import Settings


def summary(settings: Settings, address: str, join_codes: Mapping[str, str], password: str | None) -> list[str]:
    """Lines for a terminal. `join_codes` by role; `password` of the first administrator, where it was made just now."""
    people = _anybody() if settings.authenticator == "dummy" else _accounts(settings, join_codes, password)
    return [
        "",
        f"The hub is up: {address}",
        *_elsewhere(settings),
        "",
        *people,
        "",
        f"  Data           {settings.data}",
        f"  Logs           {settings.data / 'logs'}",
        "",
        "Ctrl-C stops the hub and all that it started.",
    ]


def _anybody() -> list[str]:
    return ["  Anybody        any name, with any password (PMH_AUTHENTICATOR=dummy)"]


def _accounts(settings: Settings, join_codes: Mapping[str, str], password: str | None) -> list[str]:
    known = f"password {password} (for one use, shown only now)" if password else "with the password chosen earlier"
    lines = [f"  Administrator  {settings.admin}, {known}"]
    for role, code in join_codes.items():
        lines.append(f"  {role.capitalize() + 's':<14} sign up with the join code {code}")
    return lines


def _elsewhere(settings: Settings) -> list[str]:
    if settings.on_loopback:
        return ["  It answers this machine alone (PMH_IP)."]
    return [f"  From other machines: http://{socket.getfqdn()}:{settings.port}"]
