"""Checks of the service's parts: the grading sandbox and the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from sqlalchemy.exc import DBAPIError

from pmh_jupyter.config import Settings
from pmh_jupyter.doctor.finding import Finding, FindingState
from pmh_jupyter.errors import PmhError
from pmh_jupyter.grading.backends import SandboxBackend, find_backend
from pmh_jupyter.grading.canary import run_canary
from pmh_jupyter.storage.database import Database

SANDBOX_COMPONENT = "Grading sandbox"
GROUPS_COMPONENT = "Control groups"
TRIAL_COMPONENT = "Trial grading"


def check_grading(settings: Settings) -> Iterator[Finding]:
    """Check the sandbox, its control groups and a trial grading, with one backend that runs the hub's environment."""
    python = settings.data_path / "server-env" / "bin" / "python"
    if not settings.server_python and python.exists():
        settings = Settings.from_environ(settings.to_environ() | {"PMH_SERVER_PYTHON": str(python)})
    try:
        backend = find_backend(settings)
    except PmhError as error:
        for component in (SANDBOX_COMPONENT, GROUPS_COMPONENT, TRIAL_COMPONENT):
            yield Finding(component, FindingState.MISSING, error.message, error.advice)
        return
    with closing(backend):
        yield check_sandbox(backend)
        yield check_control_groups(backend)
        yield check_canary(backend)


def check_sandbox(backend: SandboxBackend) -> Finding:
    """Check whether the sandbox contains students' code."""
    if not backend.is_contained:
        remedy = (
            "Fix the server sandbox as described above. Until then, the hub accepts connections from this machine only."
        )
        return Finding(
            SANDBOX_COMPONENT,
            FindingState.DEGRADED,
            "None: graded code can read and do everything that you can.",
            remedy,
        )
    return Finding(SANDBOX_COMPONENT, FindingState.OK, backend.name)


def check_control_groups(backend: SandboxBackend) -> Finding:
    """Check whether the kernel keeps gradings from taking each other's processor time and memory."""
    if not backend.is_contained:
        return Finding(GROUPS_COMPONENT, FindingState.DEGRADED, "None without a sandbox.", "Fix the server sandbox.")
    missing_controllers = backend.list_missing_controllers()
    if not missing_controllers:
        return Finding(GROUPS_COMPONENT, FindingState.OK, "One for each grading")
    return Finding(
        GROUPS_COMPONENT,
        FindingState.DEGRADED,
        f"None for {', '.join(missing_controllers)}: one submission can slow down the others.",
        "Let the kernel limit each grading: as root with cgroup v1, or with `Delegate=yes` and `DelegateSubgroup=hub` in the hub's"
        " systemd unit (systemd 254 or newer).",
    )


def check_canary(backend: SandboxBackend) -> Finding:
    """Grade a right and a wrong answer."""
    try:
        run_canary(backend)
    except PmhError as error:
        return Finding(TRIAL_COMPONENT, FindingState.MISSING, error.message, error.advice)
    return Finding(TRIAL_COMPONENT, FindingState.OK, "A right answer passed, a wrong one failed.")


def check_database(settings: Settings) -> Finding:
    """Check that the database answers and has this version's schema."""
    database = Database(settings.resolved_database_url)
    safe_url = database.url.render_as_string(hide_password=True)
    if database.sqlite_path and not database.sqlite_path.exists():
        return Finding("Database", FindingState.NOT_YET_CREATED, f"`pmh up` creates {safe_url}.")
    try:
        with database.open(takes_lock=False):
            database.require_current_revision()
    except PmhError as error:
        return Finding("Database", FindingState.MISSING, f"{safe_url}: {error.message}", error.advice)
    except DBAPIError as error:
        return Finding(
            "Database", FindingState.MISSING, f"{safe_url} cannot be read: {error.orig}", "Restore a backup."
        )
    return Finding("Database", FindingState.OK, safe_url)
