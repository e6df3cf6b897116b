"""The spawners that PMH_SPAWNER can name, each with the function that configures JupyterHub for it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import NoSandbox, Unavailable
from pmh_jupyter.hub.roles import SERVER_GRANTS
from pmh_jupyter.hub.server_files import find_server_files
from pmh_jupyter.hub.server_sandbox import find_sandbox_problem

SERVER_ARGUMENTS = [
    # Users share the loopback interface, and ZeroMQ does not authenticate: kernels use sockets in the server's private folder.
    "--KernelManager.transport=ipc",
    # Otherwise JupyterLab asks for permission to fetch news.
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
]


def set_default_addresses(settings: Settings) -> Settings:
    """Set the addresses on which users' servers reach Hub and service, if they are not set. Return the same settings."""
    if settings.spawner == "docker":
        set_gateway_addresses: Callable[[Settings], Settings] = _import_docker_module().set_gateway_addresses
        return set_gateway_addresses(settings)
    settings.hub_ip = settings.hub_ip or "127.0.0.1"
    return settings


def require_spawner(settings: Settings) -> None:
    """Raise Unavailable if the spawner's packages, engine or image are missing. `_configure_local` checks the local sandbox."""
    if settings.spawner == "docker":
        _import_docker_module().require_image(settings)


def configure_spawner(c: Any, settings: Settings) -> None:
    """Configure the options common to all spawners, then the chosen one."""
    c.Spawner.default_url = "/lab"
    c.Spawner.args = SERVER_ARGUMENTS
    c.Spawner.server_token_scopes = [grant.scope for grant in SERVER_GRANTS]
    SPAWNER_CONFIGURATORS[settings.spawner](c, settings)


def _configure_local(c: Any, settings: Settings) -> None:
    problem = find_sandbox_problem()
    if problem and not settings.is_on_loopback:
        raise NoSandbox(
            f"Users' servers cannot be sandboxed on this machine: {problem}",
            advice="Run `pmh doctor` to see how to fix this, or set PMH_SPAWNER=docker or PMH_IP=127.0.0.1.",
        )
    if problem:
        logging.getLogger("pmh").warning(
            "NO SANDBOX: %s Every server can read everything that the hub can read. The hub accepts connections from this machine only.",
            problem,
        )
        c.Spawner.args = [*SERVER_ARGUMENTS, *(["--allow-root"] if os.geteuid() == 0 else [])]
    files = find_server_files(settings.server_python, secret_paths=(settings.data_path,))
    c.JupyterHub.spawner_class = "pmh_jupyter.hub.local_spawner.LocalSpawner"
    c.Spawner.cmd = [str(files.python), "-m", "jupyterhub.singleuser"]
    c.Spawner.env_keep = []
    c.LocalSpawner.files = files
    c.LocalSpawner.sandbox = "none" if problem else "bubblewrap"
    c.LocalSpawner.homes = settings.data_path / "homes"
    c.LocalSpawner.logs = settings.data_path / "logs" / "servers"
    c.LocalSpawner.service_url = settings.resolved_service_url
    c.LocalSpawner.memory_mb = settings.server_memory_mb
    c.LocalSpawner.max_processes = settings.server_pids


def _configure_docker(c: Any, settings: Settings) -> None:
    _import_docker_module().configure_docker(c, settings)


def _import_docker_module() -> ModuleType:
    """Import pmh_jupyter.hub.docker_spawner, which needs the packages of the extra [docker]."""
    try:
        from pmh_jupyter.hub import docker_spawner
    except ImportError as error:
        raise Unavailable(
            f"PMH_SPAWNER=docker needs the package {error.name}.", advice="Run `pip install 'pmh-jupyter[docker]'`."
        ) from error
    return docker_spawner


SPAWNER_CONFIGURATORS: dict[str, Callable[[Any, Settings], None]] = {
    "local": _configure_local,
    "docker": _configure_docker,
}
