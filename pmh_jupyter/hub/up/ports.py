"""The ports that a hub listens on, and a check that they are free before anything starts."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import Conflict


@dataclass(frozen=True)
class Listener:
    """An address that a part of the hub listens on, and the setting of its port."""

    name: str
    ip: str
    port: int
    setting: str


def list_listeners(settings: Settings) -> tuple[Listener, ...]:
    """Return every address that a hub listens on, except those of users' servers. The public address comes first."""
    return (
        Listener("The hub", settings.ip, settings.port, "PMH_PORT"),
        Listener("The service", settings.service_ip, settings.service_port, "PMH_SERVICE_PORT"),
        Listener("JupyterHub", settings.hub_ip or "127.0.0.1", settings.hub_port, "PMH_HUB_PORT"),
        Listener("The proxy's API", "127.0.0.1", settings.proxy_api_port, "PMH_PROXY_API_PORT"),
    )


def require_free_ports(listeners: tuple[Listener, ...]) -> None:
    """Raise Conflict for the first address that cannot be used, and name the setting of its port."""
    for listener in listeners:
        _require_free_port(listener)


def _require_free_port(listener: Listener) -> None:
    endpoint = f"{listener.ip or '*'}:{listener.port}"
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            listener.ip or None, listener.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind, protocol) as probe:
            # As the servers do: ignores connections in TIME_WAIT.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        raise Conflict(
            f"{listener.name} cannot listen on {endpoint}: {_describe_error(error)}",
            advice=f"Stop the program that uses it (`ss -ltnp`), or set {listener.setting} to another port.",
        ) from error


def _describe_error(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program uses it."
    return f"{(error.strerror or str(error)).rstrip('.').lower()}."
