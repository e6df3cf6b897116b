"""Which server runs where: with a wall, without one on this machine only, and never without one beyond it."""

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
from pmh_jupyter.hub.spawners import configure_spawner, with_addresses

PROBLEM = "bubblewrap is not installed."


def test_where_a_wall_can_be_had_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spawners, "wall_problem", lambda: None)
    c = Config()
    configure_spawner(c, Settings(ip="0.0.0.0", data_dir=str(tmp_path)))
    assert c.LocalSpawner.wall == "bubblewrap"
    assert "--KernelManager.transport=ipc" in c.Spawner.args


def test_beyond_this_machine_nothing_starts_without_a_wall(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spawners, "wall_problem", lambda: PROBLEM)
    with pytest.raises(NoSandbox, match=PROBLEM) as refused:
        configure_spawner(Config(), Settings(ip="0.0.0.0", data_dir=str(tmp_path)))
    assert "PMH_SPAWNER=docker" in refused.value.advice


def test_on_this_machine_its_absence_is_said_plainly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(spawners, "wall_problem", lambda: PROBLEM)
    c = Config()
    with caplog.at_level(logging.WARNING, "pmh"):
        configure_spawner(c, Settings(data_dir=str(tmp_path)))
    assert c.LocalSpawner.wall == "none"
    assert "NO WALL" in caplog.text and PROBLEM in caplog.text


def test_local_servers_reach_the_hub_on_loopback_unless_told_otherwise() -> None:
    assert with_addresses(Settings()).hub_ip == "127.0.0.1"
    assert with_addresses(Settings(hub_ip="192.0.2.1")).hub_ip == "192.0.2.1"


def test_a_python_that_cannot_run_servers_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nowhere cannot be run") as refused:
        find_server_files(str(tmp_path / "nowhere"))
    assert "PMH_SERVER_PYTHON" in refused.value.advice
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(Unavailable, match="has no pmh_jupyter"):
        find_server_files(str(bare))


def test_courses_in_the_package_and_data_in_the_environment_are_hidden(tmp_path: Path) -> None:
    """The wheel brings courses with their solutions; here a package laid out as the wheel's is."""
    package = tmp_path / "env" / "pmh_jupyter"
    (package / "courses").mkdir(parents=True)
    data = tmp_path / "env" / "data"
    stand_in = tmp_path / "env" / "bin" / "python"
    stand_in.parent.mkdir()
    answer = f'{{"prefixes": ["{tmp_path}/env", "/usr/bin/python3"], "package": ["{package}"]}}'
    stand_in.write_text(f"#!/bin/sh\necho '{answer}'\n")
    stand_in.chmod(0o755)
    files = find_server_files(str(stand_in), secret_paths=(data, tmp_path / "elsewhere"))
    assert files.hidden == (package / "courses", data)
    assert files.readable == (tmp_path / "env",), "outermost folders only, and nothing that the system brings"
