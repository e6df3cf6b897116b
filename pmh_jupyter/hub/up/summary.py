"""The summary that `pmh up` prints: the hub's address, how to log in, and the folders of data and logs."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from pmh_jupyter.config import Settings
from pmh_jupyter.hub.accounts.first_admin import AdminPassword


def format_startup_summary(
    settings: Settings, url: str, join_codes: Mapping[str, str], admin: AdminPassword | None
) -> list[str]:
    """Return the lines for a terminal. `join_codes` are by role; `admin` is None if the authenticator has no passwords of its own."""
    login_lines = [_format_dummy_login_line()] if admin is None else [_format_admin_line(settings.admin, admin)]
    return [
        "",
        f"The hub is up: {url}",
        _format_reachability_line(settings),
        "",
        *login_lines,
        *_format_join_code_lines(join_codes, "sign up" if admin else "log in and join"),
        "",
        f"  Data           {settings.data_path}",
        f"  Logs           {settings.data_path / 'logs'}",
        "",
        "Press Ctrl-C to stop the hub and everything it started.",
    ]


def _format_dummy_login_line() -> str:
    return "  Everybody      any name, with any password (PMH_AUTHENTICATOR=dummy)"


def _format_admin_line(name: str, password: AdminPassword) -> str:
    if password.one_time_password:
        return f"  Administrator  {name}, password {password.one_time_password} (for one use, shown only now)"
    if password.is_chosen:
        return f"  Administrator  {name}, with the password chosen at the first log-in"
    return (
        f"  Administrator  {name}, with the one-time password shown at the first start\n"
        f"                 (not used yet; `pmh accounts reset-password {name}` creates a new one)"
    )


def _format_join_code_lines(join_codes: Mapping[str, str], verb: str) -> list[str]:
    return [f"  {role.capitalize() + 's':<14} {verb} with the join code {code}" for role, code in join_codes.items()]


def _format_reachability_line(settings: Settings) -> str:
    if settings.is_on_loopback:
        return "  Only this machine can connect. Set PMH_IP to change this."
    return f"  From other machines: http://{socket.getfqdn()}:{settings.port}{settings.base_url}"
