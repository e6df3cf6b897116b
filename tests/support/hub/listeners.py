"""The TCP addresses on which processes listen, to compare with the settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psutil

from tests.support.hub.hub_process import PORT_VARIABLES

Address = tuple[str, int]


def listening_addresses(processes: Iterable[psutil.Process]) -> set[Address]:
    """Host and port of every TCP socket, IPv4 and IPv6, on which one of the processes listens now."""
    addresses = set()
    for process in processes:
        try:
            connections = process.net_connections("tcp")
        except psutil.Error:  # it has just ended
            continue
        addresses |= {(conn.laddr.ip, conn.laddr.port) for conn in connections if conn.status == psutil.CONN_LISTEN}
    return addresses


def named_addresses(settings: Mapping[str, str]) -> set[Address]:
    """Return the addresses that the settings of a hub on loopback name."""
    return {("127.0.0.1", int(settings[name])) for name in PORT_VARIABLES}


def belongs_to_a_server(process: psutil.Process) -> bool:
    """Return True for a user's notebook server and its kernels."""
    try:
        return "/user/" in process.environ().get("JUPYTERHUB_SERVICE_PREFIX", "")
    except psutil.Error:
        return False
