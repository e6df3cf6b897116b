"""What a person who has just started a hub needs to know: the address, who can log in and how, where the data lies."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from pmh_jupyter.config import Settings


def startup_summary(settings: Settings, url: str, join_codes: Mapping[str, str], password: str | None) -> list[str]:
    """Lines for a terminal. `join_codes` by role; `password` of the first administrator, where it was made just now."""
    login_lines = (
        _dummy_login_lines() if settings.authenticator == "dummy" else _account_lines(settings, join_codes, password)
    )
    return [
        "",
        f"The hub is up: {url}",
        *_reachability_lines(settings),
        "",
        *login_lines,
        "",
        f"  Data           {settings.data_path}",
        f"  Logs           {settings.data_path / 'logs'}",
        "",
        "Ctrl-C stops the hub and all that it started.",
    ]


def _dummy_login_lines() -> list[str]:
    return ["  Anybody        any name, with any password (PMH_AUTHENTICATOR=dummy)"]


def _account_lines(settings: Settings, join_codes: Mapping[str, str], password: str | None) -> list[str]:
    password_hint = (
        f"password {password} (for one use, shown only now)" if password else "with the password chosen earlier"
    )
    lines = [f"  Administrator  {settings.admin}, {password_hint}"]
    for role, code in join_codes.items():
        lines.append(f"  {role.capitalize() + 's':<14} sign up with the join code {code}")
    return lines


def _reachability_lines(settings: Settings) -> list[str]:
    if settings.is_on_loopback:
        return ["  It answers this machine alone (PMH_IP)."]
    return [f"  From other machines: http://{socket.getfqdn()}:{settings.port}"]
