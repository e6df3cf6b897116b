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
from pmh_jupyter.hub.spawners import require_spawner, with_addresses
from pmh_jupyter.hub.up import logs
from pmh_jupyter.hub.up.claim import claim, holder
from pmh_jupyter.hub.up.hub_process import HubProcess, running_hub
from pmh_jupyter.hub.up.ports import check_free, listeners
from pmh_jupyter.hub.up.progress import Progress
from pmh_jupyter.hub.up.ready import address, questions, wait_for
from pmh_jupyter.hub.up.server_environment import server_environment
from pmh_jupyter.hub.up.summary import summary
from pmh_jupyter.hub.wall import wall_problem
from pmh_jupyter.places import hub_config

START_SECONDS = 120.0


class Prepared(Protocol):
    """What the preparation of the database tells: the demo classroom's join codes by role."""

    @property
    def join_codes(self) -> Mapping[Any, str]: ...


Prepare = Callable[[Settings], Prepared]


def run_hub(settings: Settings, prepare: Prepare, progress: Progress) -> None:
    """Runs a hub until it is interrupted, which is how this ends well.

    `prepare` brings the database up to date and fills it. Raises Conflict where a hub runs on the same data or a port is taken,
    Unavailable for what cannot be had, and when the hub ends by itself. Nothing that was started here is left afterwards.
    """
    settings.data_dir = str(settings.data)
    config = _check(settings)
    with claim(settings.data, address(settings.ip, settings.port)):
        settings.server_python = settings.server_python or str(server_environment(settings.data, progress))
        _warn_without_wall(settings, progress)
        with progress.step("Preparing the database and the starter course"):
            prepared = prepare(settings)
        password = _first_password(settings, progress)
        log = logs.new_log(settings.data)
        with running_hub(config, environ(settings), log, progress) as hub:
            _wait_until_ready(hub, settings, progress)
            codes = {str(role): code for role, code in prepared.join_codes.items()}
            for line in summary(settings, address(settings.ip, settings.port), codes, password):
                progress.say(line)
            raise _ended(f"The hub ended by itself, with exit code {hub.wait()}.", hub.log)


def _check(settings: Settings) -> Path:
    """Everything that can be refused before anything is made, or raises; the configuration file to start.

    The addresses in force are settled on the way: with containers they are the gateway's, which is there to listen on from then on.
    """
    if held := holder(settings.data):
        raise held
    config = _config(settings)
    proxy_command()
    require_spawner(settings)
    check_free(listeners(with_addresses(settings)))
    return config


def _config(settings: Settings) -> Path:
    if not settings.config_file:
        return hub_config()
    own = Path(settings.config_file).absolute()
    if not own.is_file():
        raise NotFound(f"PMH_CONFIG names {own}, which is no file.", advice="Mend the path, or leave PMH_CONFIG empty.")
    return own


def environ(settings: Settings) -> dict[str, str]:
    """What the hub is started with: the settings in force, and the commands of its environment first on the PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return os.environ | settings.to_environ() | {"PATH": path}


def _warn_without_wall(settings: Settings, progress: Progress) -> None:
    if problem := wall_problem():
        who = "Graded code" if settings.spawner == "docker" else "Users' servers and graded code"
        progress.say(f"   NO WALL: {problem} {who} can read whatever you can. See `pmh doctor`.")


def _first_password(settings: Settings, progress: Progress) -> str | None:
    """The first administrator's, made before anybody else can log in. Told at once: a failed start must not lose it."""
    if settings.authenticator != "accounts":
        return None
    from pmh_jupyter.hub.accounts.authenticator import ensure_admin

    password = ensure_admin(settings.data / "accounts.sqlite", settings.admin)
    if password:
        progress.say(f"   Administrator {settings.admin!r} made, password (for one use, shown only now): {password}")
    return password


def _wait_until_ready(hub: HubProcess, settings: Settings, progress: Progress) -> None:
    try:
        for question in questions(settings):
            with progress.step(f"Waiting for {question.what}"):
                wait_for(question, hub.alive, START_SECONDS)
    except Unavailable as error:
        raise _ended(error.message, hub.log) from error


def _ended(message: str, log: Path) -> Unavailable:
    return Unavailable(
        f"{message} The end of its log:\n\n{logs.tail(log)}\n",
        advice=f"All of it is in {log}; `pmh doctor` looks for causes.",
    )
