"""What `pmh up` refuses before it has made anything."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.hub.up_process import UpProcess


def _refused(folder: Path, **settings: str) -> str:
    """What it says, once it has ended without a trace."""
    up = UpProcess(folder, settings={"PMH_SERVER_PYTHON": sys.executable} | settings).start()
    assert up.wait() == 2
    assert not up.data.exists()
    return up.output


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    told = _refused(tmp_path, PMH_CONFIG="my_config.py")
    assert f"PMH_CONFIG names {tmp_path / 'my_config.py'}, which is no file." in told


def test_no_docker_engine(tmp_path: Path) -> None:
    told = _refused(tmp_path, PMH_SPAWNER="docker", DOCKER_HOST=f"unix://{tmp_path}/docker.sock")
    assert "No Docker engine answers." in told
    assert "DOCKER_HOST" in told


def test_no_docker_packages(tmp_path: Path) -> None:
    """An environment with the extra [hub] alone, as far as an import can tell."""
    (tmp_path / "dockerspawner.py").write_text("raise ModuleNotFoundError(name='dockerspawner')\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    told = _refused(tmp_path, PMH_SPAWNER="docker", PYTHONPATH=path)
    assert "needs the package dockerspawner" in told
    assert "pmh-jupyter[docker]" in told


@pytest.mark.parametrize("spawner", ["local", "docker"])
def test_two_on_one_folder_are_told_apart_from_a_busy_port(tmp_path: Path, spawner: str) -> None:
    """Whoever holds the data is named first: the ports that are busy are theirs."""
    from pmh_jupyter.hub.up.data_dir_lock import lock_data_dir

    up = UpProcess(tmp_path, settings={"PMH_SPAWNER": spawner, "DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})
    with lock_data_dir(up.data, up.address):
        assert up.start().wait() == 2
    assert f"already runs on the data in {up.data}" in up.output
