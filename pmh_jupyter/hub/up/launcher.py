"""The road of `pmh up`, from nothing to a hub at which a lesson can be opened, and back to nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import NotFound, Unavailable
from pmh_jupyter.hub.proxy_command import proxy_command
from pmh_jupyter.hub.server_sandbox import sandbox_problem
from pmh_jupyter.hub.spawners import require_spawner, with_addresses
from pmh_jupyter.hub.up import logs
from pmh_jupyter.hub.up.data_dir_lock import data_dir_conflict, lock_data_dir
from pmh_jupyter.hub.up.hub_process import HubProcess, running_hub
from pmh_jupyter.hub.up.ports import check_ports_free, listeners
from pmh_jupyter.hub.up.progress import Progress
from pmh_jupyter.hub.up.server_environment import ensure_server_environment
from pmh_jupyter.hub.up.summary import startup_summary
from pmh_jupyter.hub.up.wait_until_ready import base_url, health_checks, wait_until_healthy
from pmh_jupyter.resource_paths import hub_config_file

START_TIMEOUT_SECONDS = 120.0


class PreparedDatabase(Protocol):
    """What the preparation of the database tells: the demo classroom's join codes by role."""

    @property
    def join_codes(self) -> Mapping[Any, str]: ...


PrepareDatabase = Callable[[Settings], PreparedDatabase]


def run_hub(settings: Settings, prepare: PrepareDatabase, progress: Progress) -> None:
    """Runs a hub until it is interrupted, which is how this ends well.

    `prepare` brings the database up to date and fills it. Raises Conflict where a hub runs on the same data or a port is taken,
    Unavailable for what cannot be had, and when the hub ends by itself. Nothing that was started here is left afterwards.
    """
    settings.data_dir = str(settings.data_path)
    config = _check_preconditions(settings)
    with lock_data_dir(settings.data_path, base_url(settings.ip, settings.port)):
        settings.server_python = settings.server_python or str(ensure_server_environment(settings.data_path, progress))
        _warn_without_sandbox(settings, progress)
        with progress.step("Preparing the database and the starter course"):
            database = prepare(settings)
        password = _ensure_admin_password(settings, progress)
        log = logs.rotate_log(settings.data_path)
        with running_hub(config, hub_environ(settings), log, progress) as hub:
            _wait_until_ready(hub, settings, progress)
            codes_by_role = {str(role): code for role, code in database.join_codes.items()}
            for line in startup_summary(settings, base_url(settings.ip, settings.port), codes_by_role, password):
                progress.print_line(line)
            raise _hub_failure(f"The hub ended by itself, with exit code {hub.wait()}.", hub.log)


def _check_preconditions(settings: Settings) -> Path:
    """Everything that can be refused before anything is made, or raises; the configuration file to start.

    The addresses in force are settled on the way: with containers they are the gateway's, which is there to listen on from then on.
    """
    if conflict := data_dir_conflict(settings.data_path):
        raise conflict
    config = _find_config(settings)
    proxy_command()
    require_spawner(settings)
    check_ports_free(listeners(with_addresses(settings)))
    return config


def _find_config(settings: Settings) -> Path:
    if not settings.config_file:
        return hub_config_file()
    custom_config = Path(settings.config_file).absolute()
    if not custom_config.is_file():
        raise NotFound(
            f"PMH_CONFIG names {custom_config}, which is no file.", advice="Mend the path, or leave PMH_CONFIG empty."
        )
    return custom_config


def hub_environ(settings: Settings) -> dict[str, str]:
    """What the hub is started with: the settings in force, and the commands of its environment first on the PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return os.environ | settings.to_environ() | {"PATH": path}


def _warn_without_sandbox(settings: Settings, progress: Progress) -> None:
    if problem := sandbox_problem():
        subject = "Graded code" if settings.spawner == "docker" else "Users' servers and graded code"
        progress.print_line(f"   NO WALL: {problem} {subject} can read whatever you can. See `pmh doctor`.")


def _ensure_admin_password(settings: Settings, progress: Progress) -> str | None:
    """The first administrator's, made before anybody else can log in. Told at once: a failed start must not lose it."""
    if settings.authenticator != "accounts":
        return None
    from pmh_jupyter.hub.accounts.authenticator import ensure_admin

    password = ensure_admin(settings.data_path / "accounts.sqlite", settings.admin)
    if password:
        progress.print_line(
            f"   Administrator {settings.admin!r} made, password (for one use, shown only now): {password}"
        )
    return password


def _wait_until_ready(hub: HubProcess, settings: Settings, progress: Progress) -> None:
    try:
        for check in health_checks(settings):
            with progress.step(f"Waiting for {check.name}"):
                wait_until_healthy(check, hub.is_alive, START_TIMEOUT_SECONDS)
    except Unavailable as error:
        raise _hub_failure(error.message, hub.log) from error


def _hub_failure(message: str, log: Path) -> Unavailable:
    return Unavailable(
        f"{message} The end of its log:\n\n{logs.tail(log)}\n",
        advice=f"All of it is in {log}; `pmh doctor` looks for causes.",
    )
