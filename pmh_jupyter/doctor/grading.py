"""What the service needs: a sandbox that grades rightly, and its database."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from pmh_jupyter.config import Settings
from pmh_jupyter.doctor.finding import Finding, State
from pmh_jupyter.errors import PmhError
from pmh_jupyter.grading.canary import canary
from pmh_jupyter.grading.walls import find_wall
from pmh_jupyter.storage.database import Database

WALL = "Wall of grading"
TRIAL = "Trial grading"


def wall(settings: Settings) -> Finding:
    """The sandbox in which students' code is graded."""
    try:
        found = find_wall(settings)
    except PmhError as error:
        return Finding(WALL, State.MISSING, error.message, error.advice)
    if not found.contained:
        remedy = "Mend what `Wall of servers` says; until then the hub answers this machine only."
        return Finding(WALL, State.WEAKER, "None: graded code can read and do all that you can.", remedy)
    return Finding(WALL, State.THERE, found.name)


def trial(settings: Settings) -> Finding:
    """A right and a wrong answer are graded, in the environment in which the hub would."""
    python = settings.data / "server-env" / "bin" / "python"
    if not settings.server_python and python.exists():
        settings = Settings.from_environ(settings.to_environ() | {"PMH_SERVER_PYTHON": str(python)})
    try:
        canary(find_wall(settings))
    except PmhError as error:
        return Finding(TRIAL, State.MISSING, error.message, error.advice)
    return Finding(TRIAL, State.THERE, "A right answer passed, a wrong one failed.")


def database(settings: Settings) -> Finding:
    """It answers, and its schema is this version's."""
    database = Database(settings.database)
    told = database.url.render_as_string(hide_password=True)
    if database.file and not database.file.exists():
        return Finding("Database", State.LATER, f"{told} is made by `pmh up`.")
    try:
        with database.open(exclusive=False):
            database.check_revision()
    except PmhError as error:
        return Finding("Database", State.MISSING, f"{told}: {error.message}", error.advice)
    except DBAPIError as error:
        return Finding("Database", State.MISSING, f"{told} cannot be read: {error.orig}", "Restore a backup of it.")
    return Finding("Database", State.THERE, told)
