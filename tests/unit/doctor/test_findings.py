"""Findings of `pmh doctor`, on real components."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pmh_jupyter import doctor
from pmh_jupyter.cli import main
from pmh_jupyter.config import Settings
from pmh_jupyter.doctor import grading, hub, machine, run_checks
from pmh_jupyter.doctor.finding import Finding, FindingState
from pmh_jupyter.grading.backends import bubblewrap, find_backend
from pmh_jupyter.grading.backends.control_groups import ControlGroups
from pmh_jupyter.hub.up.data_dir_lock import lock_data_dir
from tests.support.hub.hub_process import free_ports
from tests.support.needs import needs


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    port, hub_port, api_port, service_port = free_ports(4)
    return Settings(
        data_dir=str(tmp_path / "data"),
        port=port,
        hub_port=hub_port,
        proxy_api_port=api_port,
        service_port=service_port,
    )


def test_parts_that_pmh_up_creates_are_not_missing(settings: Settings) -> None:
    assert hub.check_data_folder(settings).state is FindingState.NOT_YET_CREATED
    assert hub.check_server_python(settings).state is FindingState.NOT_YET_CREATED
    assert grading.check_database(settings).state is FindingState.NOT_YET_CREATED
    assert not settings.data_path.exists(), "checks change nothing"


@pytest.mark.parametrize(
    "check",
    [machine.check_python, machine.check_node, machine.check_proxy, machine.check_panel],
    ids=lambda check: check.__name__,
)
def test_component_of_this_environment_is_ok(check: Callable[[Settings], Finding], settings: Settings) -> None:
    assert check(settings).state is FindingState.OK


def test_busy_port_is_reported(settings: Settings) -> None:
    assert hub.check_ports(settings).state is FindingState.OK
    with socket.create_server(("127.0.0.1", settings.service_port)):
        finding = hub.check_ports(settings)
    assert finding.state is FindingState.MISSING
    assert "PMH_SERVICE_PORT" in finding.remedy


def test_ports_of_the_hub_that_runs_on_this_data_are_ok(settings: Settings) -> None:
    with lock_data_dir(settings.data_path, "http://127.0.0.1:8000"), socket.create_server(("127.0.0.1", settings.port)):
        finding = hub.check_ports(settings)
    assert finding.state is FindingState.OK
    assert "http://127.0.0.1:8000" in finding.detail


def test_data_folder_that_others_can_read_is_reported(settings: Settings) -> None:
    settings.data_path.mkdir(mode=0o755)
    finding = hub.check_data_folder(settings)
    assert finding.state is FindingState.DEGRADED
    assert finding.remedy == f"Run `chmod 700 {settings.data_path}`."


def test_server_python_that_does_not_exist_is_reported(settings: Settings, tmp_path: Path) -> None:
    settings.server_python = str(tmp_path / "python")
    assert hub.check_server_python(settings).state is FindingState.MISSING


def test_docker_engine_is_checked_only_for_the_docker_spawner(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "no-such-scheme://engine")
    assert hub.check_docker(settings).state is FindingState.OK
    settings.spawner = "docker"
    finding = hub.check_docker(settings)
    assert (finding.state, finding.detail) == (FindingState.MISSING, "No Docker engine answers.")
    assert "DOCKER_HOST" in finding.remedy


def test_grader_python_that_does_not_exist_is_reported(settings: Settings, tmp_path: Path) -> None:
    settings.grader_python = str(tmp_path / "python")
    settings.ip = "0.0.0.0"
    assert [finding.state for finding in grading.check_grading(settings)] == [FindingState.MISSING] * 3


def test_damaged_database_is_reported(settings: Settings) -> None:
    settings.data_path.mkdir()
    sqlite3.connect(settings.data_path / "pmh.sqlite").close()
    (settings.data_path / "pmh.sqlite").write_bytes(b"not a database, but longer than its header" * 10)
    assert grading.check_database(settings).state is FindingState.MISSING


def test_database_without_our_tables_is_reported_with_the_command(settings: Settings) -> None:
    settings.data_path.mkdir()
    with sqlite3.connect(settings.data_path / "pmh.sqlite") as connection:
        connection.execute("CREATE TABLE other (id INTEGER)")
    connection.close()
    finding = grading.check_database(settings)
    assert finding.state is FindingState.MISSING
    assert "pmh db upgrade" in finding.remedy


def test_password_in_the_database_url_is_not_shown(settings: Settings) -> None:
    settings.database_url = "postgresql+psycopg://pmh:plumtree@127.0.0.1:9/pmh"
    finding = grading.check_database(settings)
    assert finding.state is FindingState.MISSING
    assert "plumtree" not in finding.detail


def test_check_that_raises_is_a_finding(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    def check_the_moon(_: Settings) -> Finding:
        raise RuntimeError("cheese")

    monkeypatch.setattr(doctor, "CHECKS", (check_the_moon, machine.check_python))
    first, second = run_checks(settings)
    assert (first.component, first.state) == ("The moon", FindingState.MISSING)
    assert "cheese" in first.detail
    assert second.state is FindingState.OK


def test_exit_code_says_whether_a_hub_can_run(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (machine.check_python, hub.check_ports))
    for name, value in settings.to_environ().items():
        monkeypatch.setenv(name, value)
    assert main(["doctor"]) == 0
    assert "A hub can run here." in capsys.readouterr().out
    with socket.create_server(("127.0.0.1", settings.port)):
        assert main(["doctor"]) == 1
    output = capsys.readouterr().out
    assert " ✗ Ports" in output
    assert "→" in output


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize(("has_groups", "state"), [(False, FindingState.DEGRADED), (True, FindingState.OK)])
def test_finding_says_whether_gradings_have_control_groups(
    has_groups: bool, state: FindingState, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    if has_groups:
        needs("control-groups")
    else:
        monkeypatch.setattr(bubblewrap, "ControlGroups", lambda: ControlGroups(lambda: ()))
    with closing(find_backend(settings)) as backend:
        finding = grading.check_control_groups(backend)
    assert finding.state is state
    assert has_groups or "Delegate=yes" in finding.remedy


@pytest.mark.needs("bubblewrap")
def test_grading_is_checked_with_one_backend_that_is_closed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = []
    close = bubblewrap.BubblewrapBackend.close

    def record_close(backend: bubblewrap.BubblewrapBackend) -> None:
        events.append("closed")
        close(backend)

    monkeypatch.setattr(bubblewrap.BubblewrapBackend, "close", record_close)
    for finding in grading.check_grading(settings):
        events.append(finding.component)
    assert events == [grading.SANDBOX_COMPONENT, grading.GROUPS_COMPONENT, grading.TRIAL_COMPONENT, "closed"]
