"""A hub with the demo classroom, whose servers run in containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.hub.up.progress import Progress
from pmh_jupyter.hub.up.server_environment import ensure_server_environment
from pmh_jupyter.service.bootstrap import bootstrap_database
from tests.support.docker.engine import DOCKER_CONFIG, docker_engine, skeleton_image
from tests.support.hub.hub_process import running_hub

IMAGE = "pmh-story-server"
NETWORK = "pmh-story"


@dataclass(frozen=True)
class DockerClassroom:
    """The hub's address, and the join codes by role."""

    address: str
    codes: Mapping[str, str]

    def join_code(self, group: str) -> str:
        """Return the join code of "Students" or "Instructors"."""
        return self.codes[Role(group.removesuffix("s").lower())]


@contextmanager
def running_docker_classroom(folder: Path) -> Iterator[DockerClassroom]:
    """Start a Docker engine and a hub with the demo classroom."""
    python = str(ensure_server_environment(folder, Progress()))
    settings = {
        "PMH_SERVER_PYTHON": python,
        "PMH_SPAWNER": "docker",
        "PMH_AUTHENTICATOR": "accounts",
        "PMH_DOCKER_IMAGE": IMAGE,
        "PMH_DOCKER_NETWORK": NETWORK,
    }
    codes = bootstrap_database(Settings(data_dir=str(folder / "hub-data")))
    with docker_engine():
        skeleton_image(IMAGE, python)
        with running_hub(folder, DOCKER_CONFIG, **settings) as hub:
            hub.wait_until_service()
            yield DockerClassroom(hub.address, codes)
