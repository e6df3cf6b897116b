"""`pmh up`: prepares a hub, starts it, waits until a lesson can be opened, and stops everything on exit."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import NotFound, Unavailable
from pmh_jupyter.hub.accounts.first_admin import ACCOUNTS_FILE_NAME, AdminPassword, ensure_admin
from pmh_jupyter.hub.proxy_command import build_proxy_command
from pmh_jupyter.hub.server_sandbox import find_sandbox_problem
from pmh_jupyter.hub.spawners import require_spawner, set_default_addresses
from pmh_jupyter.hub.up import logs
from pmh_jupyter.hub.up.data_dir_lock import find_data_dir_conflict, lock_data_dir
from pmh_jupyter.hub.up.hub_process import HubProcess, run_hub_process
from pmh_jupyter.hub.up.ports import list_listeners, require_free_ports
from pmh_jupyter.hub.up.progress import Progress
from pmh_jupyter.hub.up.server_environment import ensure_server_environment
from pmh_jupyter.hub.up.summary import format_startup_summary
from pmh_jupyter.hub.up.wait_until_ready import list_health_checks, make_browser_url, wait_until_healthy
from pmh_jupyter.resource_paths import find_hub_config_file

START_TIMEOUT_SECONDS = 120.0


# Prepares the database, and returns the demo classroom's join codes by role.
PrepareDatabase = Callable[[Settings], Mapping[str, str]]


def run_hub(settings: Settings, prepare: PrepareDatabase, progress: Progress) -> None:
    """Run a hub until KeyboardInterrupt, then end every process that it started.

    prepare: migrates the database and adds the starter course.

    Raises Conflict if a hub runs on the same data or a port is in use, Unavailable if a required part is missing or the hub ends by
    itself, and NotFound if PMH_CONFIG names no file.
    """
    settings.data_dir = str(settings.data_path)
    config = _require_preconditions(settings)
    _set_free_addresses(settings)
    address = make_browser_url(settings)
    with lock_data_dir(settings.data_path, address):
        settings.server_python = settings.server_python or str(ensure_server_environment(settings.data_path, progress))
        _warn_without_sandbox(settings, progress)
        with progress.step("Preparing the database and the starter course"):
            join_codes = prepare(settings)
        admin = _ensure_admin(settings, progress)
        log = logs.rotate_log(settings.data_path)
        with run_hub_process(config, make_hub_environ(settings), log, progress) as hub:
            _wait_until_ready(hub, settings, progress)
            for line in format_startup_summary(settings, address, join_codes, admin):
                progress.print_line(line)
            raise _make_hub_failure(f"The hub ended by itself with exit code {hub.wait()}.", hub.log)


def _require_preconditions(settings: Settings) -> Path:
    """Return the configuration file to start. Raises as `run_hub` if the data folder, the proxy or the spawner cannot be used."""
    if conflict := find_data_dir_conflict(settings.data_path):
        raise conflict
    config = _find_config(settings)
    build_proxy_command()
    require_spawner(settings)
    return config


def _set_free_addresses(settings: Settings) -> None:
    """Set the addresses of Hub and service, and raise Conflict if a port is in use.

    With containers, the addresses are those of the network's gateway; a missing network is created.
    """
    set_default_addresses(settings)
    require_free_ports(list_listeners(settings))


def _find_config(settings: Settings) -> Path:
    if not settings.config_file:
        return find_hub_config_file()
    custom_config = Path(settings.config_file).absolute()
    if not custom_config.is_file():
        raise NotFound(
            f"PMH_CONFIG names {custom_config}, which is not a file.", advice="Correct the path, or unset PMH_CONFIG."
        )
    return custom_config


def make_hub_environ(settings: Settings) -> dict[str, str]:
    """Return the hub's environment variables: the effective settings, and a PATH that begins with this Python's commands."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return os.environ | settings.to_environ() | {"PATH": path}


def _warn_without_sandbox(settings: Settings, progress: Progress) -> None:
    if problem := find_sandbox_problem():
        subject = "Graded code" if settings.spawner == "docker" else "Users' servers and graded code"
        progress.print_line(
            f"   NO SANDBOX: {problem} {subject} can read everything that you can read. See `pmh doctor`."
        )


def _ensure_admin(settings: Settings, progress: Progress) -> AdminPassword | None:
    """Create the first administrator before anybody can log in. Prints a new password at once, because the start could still fail.

    Returns None if the authenticator has no passwords of its own.
    """
    if settings.authenticator != "accounts":
        return None
    admin = ensure_admin(settings.data_path / ACCOUNTS_FILE_NAME, settings.admin)
    if admin.one_time_password:
        progress.print_line(
            f"   Created administrator {settings.admin!r}, password (for one use, shown only now): {admin.one_time_password}"
        )
    return admin


def _wait_until_ready(hub: HubProcess, settings: Settings, progress: Progress) -> None:
    try:
        for check in list_health_checks(settings):
            with progress.step(f"Waiting for {check.name}"):
                wait_until_healthy(check, hub.is_alive, START_TIMEOUT_SECONDS)
    except Unavailable as error:
        raise _make_hub_failure(error.message, hub.log) from error


def _make_hub_failure(message: str, log: Path) -> Unavailable:
    return Unavailable(
        f"{message} The end of its log:\n\n{logs.read_tail(log)}\n",
        advice=f"Run `pmh doctor` to look for the cause. The whole log is {log}.",
    )
