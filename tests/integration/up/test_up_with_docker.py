"""`PMH_SPAWNER=docker pmh up` on a real engine: without further settings, a server in a container reaches Hub and service."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.support.docker.engine import DOCKER_CONFIG, docker_engine, skeleton_image
from tests.support.hub.hub_process import Person
from tests.support.hub.up_process import UpProcess, running_up

pytestmark = [pytest.mark.slow, pytest.mark.docker, pytest.mark.needs("docker", "root"), pytest.mark.timeout(300)]

IMAGE = "pmh-up-server"
NETWORK = "pmh-up"
SETTINGS = {
    "PMH_SPAWNER": "docker",
    "PMH_DOCKER_NETWORK": NETWORK,
    "PMH_AUTHENTICATOR": "dummy",
    "PMH_SERVER_PYTHON": sys.executable,
    "PMH_CONFIG": str(DOCKER_CONFIG),
}
ASK_SERVICE = """
import os
from urllib.request import Request, urlopen
headers = {"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"}
print(urlopen(Request(os.environ["PMH_SERVICE_URL"] + "/api/me", headers=headers)).read().decode())
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    with docker_engine():
        skeleton_image(IMAGE)
        client = docker.from_env()
        yield client
        client.close()


def test_missing_image_is_reported_and_nothing_is_created(engine: docker.DockerClient, tmp_path: Path) -> None:
    up = UpProcess(tmp_path, settings=SETTINGS | {"PMH_DOCKER_IMAGE": "nowhere"}).start()
    assert up.wait() == 2
    assert "no image nowhere" in up.output
    assert not up.data.exists()
    assert NETWORK not in {network.name for network in engine.networks.list()}


def test_server_in_a_container_reaches_the_service(engine: docker.DockerClient, tmp_path: Path) -> None:
    with running_up(tmp_path, **SETTINGS, PMH_DOCKER_IMAGE=IMAGE) as up:
        ada = Person(up, "ada", "any password")
        try:
            ada.log_in().start_server()
            assert f"{NETWORK}-ada" in {container.name for container in engine.containers.list(ignore_removed=True)}
            assert json.loads(ada.run(ASK_SERVICE))["name"] == "ada"
        finally:
            ada.browser.close()
