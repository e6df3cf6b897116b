"""The docker spawner: each user's server is a container of its own, with nothing it does not need.

Whoever may use the Docker socket is root on its machine: so may the hub's own user with this spawner, and nobody in a container.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from docker import DockerClient, from_env
from docker.errors import DockerException, NotFound
from docker.types import Ulimit
from dockerspawner import DockerSpawner

from pmh_jupyter.config import LOOPBACK_ADDRESSES, Settings
from pmh_jupyter.errors import Conflict, Unavailable

CONTAINER_HOME = "/home/jovyan"
CONTAINER_USER = "1000:1000"
MAX_OPEN_FILES = 20_000
INTER_CONTAINER_OPTION = "com.docker.network.bridge.enable_icc"
POLL_INTERVAL_SECONDS = 0.1


class ContainerSpawner(DockerSpawner):  # type: ignore[misc]
    """DockerSpawner, which returns as soon as the server listens: the Hub's own look backs off to 5 s."""

    async def start(self) -> tuple[str, int]:
        address: tuple[str, int] = await super().start()
        while not await _is_listening(*address) and await self.poll() is None:
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
        return address


async def _is_listening(ip: str, port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(ip, port), 1)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def with_gateway(settings: Settings) -> Settings:
    """The settings, with Hub and service on the one address of this machine that containers reach; what an operator set stays."""
    with _connect_docker() as client:
        gateway = ensure_network(client, settings.docker_network)
    settings.hub_ip = settings.hub_ip or gateway
    if settings.service_ip in LOOPBACK_ADDRESSES:
        settings.service_ip = gateway
    return settings


def configure_docker(c: Any, settings: Settings) -> None:
    """What a container gets, and above all what it does not. Names of containers and volumes begin with the network's."""
    c.JupyterHub.spawner_class = "pmh_jupyter.hub.docker_spawner.ContainerSpawner"
    c.DockerSpawner.image = settings.docker_image
    c.DockerSpawner.pull_policy = "ifnotpresent"
    c.DockerSpawner.cmd = ["python3", "-m", "jupyterhub.singleuser"]
    c.DockerSpawner.name_template = f"{settings.docker_network}-{{username}}"
    # The home outlives the container; everything else goes with it.
    c.DockerSpawner.volumes = {f"{settings.docker_network}-home-{{username}}": CONTAINER_HOME}
    c.DockerSpawner.remove = True
    c.DockerSpawner.notebook_dir = CONTAINER_HOME
    c.DockerSpawner.network_name = settings.docker_network
    c.DockerSpawner.mem_limit = f"{settings.server_memory_mb}M"
    c.DockerSpawner.cpu_limit = settings.server_cpus
    c.DockerSpawner.environment = {
        "PMH_SERVICE_URL": settings.resolved_service_url,
        "HOME": CONTAINER_HOME,
        "JUPYTER_RUNTIME_DIR": "/tmp/jupyter",
    }
    c.DockerSpawner.extra_create_kwargs = {"user": CONTAINER_USER}
    c.DockerSpawner.extra_host_config = host_config(settings)


def host_config(settings: Settings) -> dict[str, Any]:
    """How tight a container is. Its tmpfs are memory and count against its limit: full ones must leave the server room to go on."""
    size = f"{settings.server_memory_mb // 4}m"
    return {
        "read_only": True,
        "tmpfs": {"/tmp": f"rw,nosuid,nodev,mode=1777,size={size}"},
        "shm_size": size,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": settings.server_pids,
        "memswap_limit": f"{settings.server_memory_mb}m",  # the same as memory: no swap besides
        "ulimits": [
            Ulimit(name="nofile", soft=MAX_OPEN_FILES, hard=MAX_OPEN_FILES),
            Ulimit(name="core", soft=0, hard=0),
        ],
        "init": True,  # reaps what kernels leave, and lets a stop take effect at once
    }


def ensure_network(client: DockerClient, name: str) -> str:
    """Makes the servers' network where there is none; its gateway's address. Raises Conflict for one that joins neighbours."""
    try:
        network = client.networks.get(name)
    except NotFound:
        network = client.networks.create(name, driver="bridge", options={INTER_CONTAINER_OPTION: "false"})
        network.reload()
    if network.attrs["Options"].get(INTER_CONTAINER_OPTION) != "false":
        raise Conflict(
            f"On the Docker network {name} containers reach each other.",
            advice=f"Remove it (`docker network rm {name}`) and start again, or name another with PMH_DOCKER_NETWORK.",
        )
    gateway: str = network.attrs["IPAM"]["Config"][0]["Gateway"]
    return gateway


def require_image(settings: Settings) -> None:
    """Raises Unavailable where no engine answers, or it has no image of users' servers: nobody could start one."""
    try:
        with _connect_docker() as client:
            client.images.get(settings.docker_image)
    except NotFound as error:
        raise Unavailable(
            f"The Docker engine has no image {settings.docker_image}.",
            advice="Build it from deploy/Dockerfile, or pull it, or name another with PMH_DOCKER_IMAGE.",
        ) from error


@contextmanager
def _connect_docker() -> Iterator[DockerClient]:
    """A connection to the engine that DOCKER_HOST names, or this machine's; raises Unavailable where none answers."""
    try:
        client = from_env()  # asks for the engine's version, so it is there
    except DockerException as error:
        raise Unavailable(
            "No Docker engine answers.",
            advice="Start it, and see that the hub's user may use its socket (DOCKER_HOST).",
        ) from error
    with closing(client):
        yield client
