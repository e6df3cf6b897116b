"""Configuration of spawners: servers are sandboxed; without a sandbox a hub runs on loopback only."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest
from traitlets.config import Config

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import NoSandbox, Unavailable
from pmh_jupyter.hub import spawners
from pmh_jupyter.hub.server_files import find_server_files
from pmh_jupyter.hub.spawners import configure_spawner, set_default_addresses

PROBLEM = "bubblewrap is not installed."


def test_servers_are_sandboxed_with_private_kernel_sockets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spawners, "find_sandbox_problem", lambda: None)
    c = Config()
    configure_spawner(c, Settings(ip="0.0.0.0", data_dir=str(tmp_path)))
    assert c.LocalSpawner.sandbox == "bubblewrap"
    assert "--KernelManager.transport=ipc" in c.Spawner.args


def test_hub_without_sandbox_is_refused_beyond_loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spawners, "find_sandbox_problem", lambda: PROBLEM)
    with pytest.raises(NoSandbox, match=PROBLEM) as refused:
        configure_spawner(Config(), Settings(ip="0.0.0.0", data_dir=str(tmp_path)))
    assert "PMH_SPAWNER=docker" in refused.value.advice


def test_hub_without_sandbox_warns_on_loopback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(spawners, "find_sandbox_problem", lambda: PROBLEM)
    c = Config()
    with caplog.at_level(logging.WARNING, "pmh"):
        configure_spawner(c, Settings(data_dir=str(tmp_path)))
    assert c.LocalSpawner.sandbox == "none"
    assert "NO SANDBOX" in caplog.text and PROBLEM in caplog.text


def test_local_servers_reach_the_hub_on_loopback_by_default() -> None:
    assert set_default_addresses(Settings()).hub_ip == "127.0.0.1"
    assert set_default_addresses(Settings(hub_ip="192.0.2.1")).hub_ip == "192.0.2.1"


def test_unusable_server_python_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nowhere cannot be run") as refused:
        find_server_files(str(tmp_path / "nowhere"))
    assert "PMH_SERVER_PYTHON" in refused.value.advice
    python_without_packages = tmp_path / "python"
    python_without_packages.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python_without_packages.chmod(0o755)
    with pytest.raises(Unavailable, match="has no pmh_jupyter"):
        find_server_files(str(python_without_packages))


def test_courses_in_the_package_and_data_in_the_environment_are_hidden(tmp_path: Path) -> None:
    package = tmp_path / "env" / "pmh_jupyter"
    (package / "courses").mkdir(parents=True)
    data = tmp_path / "env" / "data"
    fake_python = tmp_path / "env" / "bin" / "python"
    fake_python.parent.mkdir()
    probe_result = f'{{"prefixes": ["{tmp_path}/env", "/usr/bin/python3"], "package": ["{package}"]}}'
    fake_python.write_text(f"#!/bin/sh\necho '{probe_result}'\n")
    fake_python.chmod(0o755)
    files = find_server_files(str(fake_python), secret_paths=(data, tmp_path / "elsewhere"))
    assert files.hidden == (package / "courses", data)
    assert files.readable == (tmp_path / "env",), "only outermost folders, and none of the system's"
