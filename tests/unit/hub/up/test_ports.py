"""The check for free ports before a hub starts."""

from __future__ import annotations

import socket

import pytest

from pmh_jupyter.errors import Conflict
from pmh_jupyter.hub.up.ports import Listener, require_free_ports
from tests.support.hub.hub_process import free_ports


def _listener(port: int, ip: str = "127.0.0.1") -> Listener:
    return Listener("The hub", ip, port, "PMH_PORT")


def test_free_port_passes_and_stays_free() -> None:
    [port] = free_ports(1)
    require_free_ports((_listener(port),))
    with socket.create_server(("127.0.0.1", port)) as server:
        assert server.getsockname()[1] == port


@pytest.mark.parametrize("ip", ["127.0.0.1", "", "0.0.0.0"])
def test_busy_port_is_reported_with_its_setting(ip: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Conflict) as caught:
            require_free_ports((_listener(port, ip),))
    assert str(port) in caught.value.message
    assert "another program uses it" in caught.value.message
    assert "PMH_PORT" in caught.value.advice


def test_address_of_another_machine_is_reported() -> None:
    with pytest.raises(Conflict, match=r"192\.0\.2\.1"):
        require_free_ports((_listener(18000, "192.0.2.1"),))


def test_connection_in_time_wait_does_not_block_its_port() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as client:
        accepted, _ = server.accept()
        accepted.close()  # the side that closes first stays in TIME_WAIT
        server.close()
        assert client.recv(1) == b""
    with pytest.raises(OSError, match="in use"), socket.socket() as without_reuse:
        without_reuse.bind(("127.0.0.1", port))
    require_free_ports((_listener(port),))
