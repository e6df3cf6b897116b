"""However `pmh up` ends, none of its processes is left: proxy, service, culler, notebook servers and their kernels."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.hub.hub_process import Person
from tests.support.hub.up_process import PMH, UpProcess, all_end, commands

pytestmark = [pytest.mark.slow, pytest.mark.needs("linux")]

# Users' servers use this environment: building the lean one takes long, and has its own tests.
WITHOUT_SERVER_ENVIRONMENT = {"PMH_AUTHENTICATOR": "dummy", "PMH_SERVER_PYTHON": sys.executable}


@pytest.fixture
def pmh_up(tmp_path: Path) -> Iterator[Callable[..., UpProcess]]:
    """Start `pmh up` with WITHOUT_SERVER_ENVIRONMENT and further settings. Those that still run at the end are stopped."""
    started: list[UpProcess] = []

    def start(**settings: str) -> UpProcess:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(UpProcess(folder, settings=WITHOUT_SERVER_ENVIRONMENT | settings).start())
        return started[-1]

    yield start
    for up in started:
        if up.process is not None and up.process.poll() is None:
            up.stop()


Start = Callable[..., UpProcess]


def _start_a_server(up: UpProcess) -> list[psutil.Process]:
    """Run a kernel in a user's server. Returns all processes of the hub."""
    up.wait_until_up()
    person = Person(up, "ada", "any password")
    try:
        assert person.log_in().start_server().run("print(6 * 7)") == "42\n"
    finally:
        person.browser.close()
    return up.process_tree()


def _assert_ports_are_free(up: UpProcess) -> None:
    for name in ("PMH_PORT", "PMH_HUB_PORT", "PMH_PROXY_API_PORT", "PMH_SERVICE_PORT"):
        socket.create_server(("127.0.0.1", int(up.settings[name]))).close()


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_everything(pmh_up: Start, signal_number: signal.Signals) -> None:
    up = pmh_up()
    processes = _start_a_server(up)
    command_lines = "\n".join(commands(processes))
    for part in ("jupyterhub --config", "configurable-http-proxy", "pmh_jupyter.service", "singleuser", "ipykernel"):
        assert part in command_lines
    up.send(signal_number)
    assert up.wait() == 0
    assert all_end(processes, seconds=0) == []
    _assert_ports_are_free(up)
    assert "Stopped." in up.output


def test_killed_hub_ends_everything(pmh_up: Start) -> None:
    up = pmh_up()
    processes = _start_a_server(up)
    [hub] = [
        process for process in processes if any("jupyterhub --config" in command for command in commands([process]))
    ]
    hub.kill()
    assert up.wait() == 2
    assert all_end(processes, seconds=0) == []
    _assert_ports_are_free(up)
    assert "ended by itself with exit code -9" in up.output


def test_killed_pmh_up_ends_everything(pmh_up: Start) -> None:
    up = pmh_up()
    processes = _start_a_server(up)
    up.send(signal.SIGKILL)
    up.wait()
    assert all_end(processes) == []
    _assert_ports_are_free(up)


def test_hub_that_does_not_start_is_reported_with_its_log(pmh_up: Start) -> None:
    up = pmh_up(PMH_IP="0.0.0.0")
    assert up.wait() == 2
    assert "lets other machines connect" in up.output, "the reason is in the hub's log"
    assert str(up.data / "logs" / "hub.log") in up.output
    _assert_ports_are_free(up)


def test_signal_during_the_start_ends_everything(pmh_up: Start) -> None:
    up = pmh_up()
    up.wait_until(lambda: "Waiting for the service" in up.output, 60, "JupyterHub to answer")
    processes = up.process_tree()
    assert "configurable-http-proxy" in "\n".join(commands(processes))
    up.send(signal.SIGTERM)
    assert up.wait() == 0
    assert all_end(processes, seconds=0) == []
    _assert_ports_are_free(up)


def test_second_hub_on_the_same_data_is_refused(pmh_up: Start) -> None:
    first = pmh_up().wait_until_up()
    second = pmh_up(PMH_DATA_DIR=str(first.data))
    assert second.wait() == 2
    assert first.process is not None
    assert f"already runs on the data in {first.data}: {first.address}, process {first.process.pid}" in second.output
    environ = os.environ | dict(first.settings)
    doctor = subprocess.run([*PMH, "doctor"], env=environ, capture_output=True, text=True)
    assert first.address in doctor.stdout
    assert doctor.returncode == 0


@pytest.mark.parametrize("variable", ["PMH_PORT", "PMH_HUB_PORT", "PMH_PROXY_API_PORT", "PMH_SERVICE_PORT"])
def test_busy_port_is_reported_before_anything_starts(tmp_path: Path, variable: str) -> None:
    up = UpProcess(tmp_path, settings=WITHOUT_SERVER_ENVIRONMENT)
    with socket.create_server(("127.0.0.1", int(up.settings[variable]))):
        assert up.start().wait() == 2
    assert f":{up.settings[variable]}" in up.output
    assert variable in up.output
    assert not up.data.exists()
