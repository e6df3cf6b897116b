"""Ports are asked for before anything starts."""

from __future__ import annotations

import socket

import pytest

from pmh_jupyter.errors import Conflict
from pmh_jupyter.hub.up.ports import Listener, check_ports_free


def _listener(port: int, ip: str = "127.0.0.1") -> Listener:
    return Listener("The hub", ip, port, "PMH_PORT")


def test_a_free_port_passes_and_stays_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    check_ports_free((_listener(port),))
    check_ports_free((_listener(port),))


@pytest.mark.parametrize("ip", ["127.0.0.1", "", "0.0.0.0"])
def test_a_busy_port_is_named_with_the_setting_that_moves_it(ip: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Conflict) as caught:
            check_ports_free((_listener(port, ip),))
    assert str(port) in caught.value.message
    assert "another program" in caught.value.message
    assert "PMH_PORT" in caught.value.advice


def test_an_address_that_is_not_this_machines() -> None:
    with pytest.raises(Conflict, match=r"192\.0\.2\.1"):
        check_ports_free((_listener(18000, "192.0.2.1"),))


def test_a_connection_that_lingers_is_no_obstacle() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as client:
        accepted, _ = server.accept()
        accepted.close()  # the side that closes first lingers
        server.close()
        assert client.recv(1) == b""
    check_ports_free((_listener(port),))
