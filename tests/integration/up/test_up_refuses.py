"""Errors that `pmh up` reports before it creates any file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.hub.up_process import UpProcess


def _run_refused(folder: Path, **settings: str) -> str:
    """Run `pmh up`, check that it fails without creating a file, and return its output."""
    up = UpProcess(folder, settings={"PMH_SERVER_PYTHON": sys.executable} | settings).start()
    assert up.wait() == 2
    assert not up.data.exists()
    return up.output


def test_missing_configuration(tmp_path: Path) -> None:
    output = _run_refused(tmp_path, PMH_CONFIG="my_config.py")
    assert f"PMH_CONFIG names {tmp_path / 'my_config.py'}, which is not a file." in output


def test_missing_docker_engine(tmp_path: Path) -> None:
    output = _run_refused(tmp_path, PMH_SPAWNER="docker", DOCKER_HOST=f"unix://{tmp_path}/docker.sock")
    assert "No Docker engine answers." in output
    assert "DOCKER_HOST" in output


def test_missing_docker_packages(tmp_path: Path) -> None:
    """An environment without the extra [docker], simulated by a module that cannot be imported."""
    (tmp_path / "dockerspawner.py").write_text("raise ModuleNotFoundError(name='dockerspawner')\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    output = _run_refused(tmp_path, PMH_SPAWNER="docker", PYTHONPATH=path)
    assert "needs the package dockerspawner" in output
    assert "pmh-jupyter[docker]" in output


@pytest.mark.parametrize("spawner", ["local", "docker"])
def test_data_in_use_is_reported_before_busy_ports(tmp_path: Path, spawner: str) -> None:
    from pmh_jupyter.hub.up.data_dir_lock import lock_data_dir

    up = UpProcess(tmp_path, settings={"PMH_SPAWNER": spawner, "DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})
    with lock_data_dir(up.data, up.address):
        assert up.start().wait() == 2
    assert f"already runs on the data in {up.data}" in up.output
