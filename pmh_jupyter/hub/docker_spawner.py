"""The docker spawner: each user's server runs in its own container, with the fewest possible privileges.

Access to the Docker socket amounts to root on the machine. With this spawner the hub's own user has it; no container has it.
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
    """A DockerSpawner whose `start` returns as soon as the server listens. The Hub itself would poll only every 5 s."""

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


def set_gateway_addresses(settings: Settings) -> Settings:
    """Set hub_ip and service_ip to the network's gateway, which containers can reach, unless the operator has set them."""
    with _connect_docker() as client:
        gateway = ensure_network(client, settings.docker_network)
    settings.hub_ip = settings.hub_ip or gateway
    if settings.service_ip in LOOPBACK_ADDRESSES:
        settings.service_ip = gateway
    return settings


def configure_docker(c: Any, settings: Settings) -> None:
    """Configure DockerSpawner. Names of containers and volumes start with the name of the network."""
    c.JupyterHub.spawner_class = "pmh_jupyter.hub.docker_spawner.ContainerSpawner"
    c.DockerSpawner.image = settings.docker_image
    c.DockerSpawner.pull_policy = "ifnotpresent"
    c.DockerSpawner.cmd = ["python3", "-m", "jupyterhub.singleuser"]
    c.DockerSpawner.name_template = f"{settings.docker_network}-{{username}}"
    # Only the home outlives the container.
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
    c.DockerSpawner.extra_host_config = build_host_config(settings)


def build_host_config(settings: Settings) -> dict[str, Any]:
    """Return the limits of a container. A tmpfs counts as memory of the container, so a full one must leave enough for the server."""
    size = f"{settings.server_memory_mb // 4}m"
    return {
        "read_only": True,
        "tmpfs": {"/tmp": f"rw,nosuid,nodev,mode=1777,size={size}"},
        "shm_size": size,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": settings.server_pids,
        "memswap_limit": f"{settings.server_memory_mb}m",  # equal to the memory limit, that is, no swap
        "ulimits": [
            Ulimit(name="nofile", soft=MAX_OPEN_FILES, hard=MAX_OPEN_FILES),
            Ulimit(name="core", soft=0, hard=0),
        ],
        "init": True,  # reaps orphans of kernels, and forwards signals so that a stop takes effect at once
    }


def ensure_network(client: DockerClient, name: str) -> str:
    """Create the servers' network if it is missing, and return its gateway's address.

    Raises Conflict if containers in an existing network can reach each other.
    """
    try:
        network = client.networks.get(name)
    except NotFound:
        network = client.networks.create(name, driver="bridge", options={INTER_CONTAINER_OPTION: "false"})
        network.reload()
    if network.attrs["Options"].get(INTER_CONTAINER_OPTION) != "false":
        raise Conflict(
            f"Containers in the Docker network {name} can reach each other.",
            advice=f"Remove it (`docker network rm {name}`) and start again, or set PMH_DOCKER_NETWORK to another name.",
        )
    gateway: str = network.attrs["IPAM"]["Config"][0]["Gateway"]
    return gateway


def require_image(settings: Settings) -> None:
    """Raise Unavailable if no Docker engine answers or the engine lacks the image of users' servers."""
    try:
        with _connect_docker() as client:
            client.images.get(settings.docker_image)
    except NotFound as error:
        raise Unavailable(
            f"The Docker engine has no image {settings.docker_image}.",
            advice="Build it from deploy/Dockerfile, pull it, or set PMH_DOCKER_IMAGE to another.",
        ) from error


@contextmanager
def _connect_docker() -> Iterator[DockerClient]:
    """Yield a client of the engine that DOCKER_HOST names, or of this machine's. Raises Unavailable if it does not answer."""
    try:
        client = from_env()  # fails if the engine does not answer: it requests its version
    except DockerException as error:
        raise Unavailable(
            "No Docker engine answers.",
            advice="Start Docker, and check that the hub's user may use its socket (DOCKER_HOST).",
        ) from error
    with closing(client):
        yield client
