"""Installs system packages that tests need: a browser, database servers, a container engine.

Works only as root on Debian and its derivatives. On other machines, tests that need a missing package are skipped with a reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pmh_jupyter.hub.up.progress import Progress  # noqa: E402  (importable only from here on)

# Debian's packages, each with a check whether what the tests need of it is installed already.
REQUIRED_PACKAGES: dict[str, Callable[[], bool]] = {
    "chromium": lambda: bool(shutil.which("chromium")),
    "fonts-dejavu-core": lambda: Path("/usr/share/fonts/truetype/dejavu").is_dir(),
    "postgresql": lambda: any(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
    "redis-server": lambda: bool(shutil.which("redis-server")),
    "docker.io": lambda: bool(shutil.which("dockerd")),
    "iproute2": lambda: bool(shutil.which("ip")),
}


def install_missing_packages(progress: Progress) -> None:
    """Install missing packages. Where that is not possible, prints their names."""
    missing = [name for name, is_installed in REQUIRED_PACKAGES.items() if not is_installed()]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        progress.print_line(f"   Missing, so tests that need them are skipped: {', '.join(missing)}")
        return
    with progress.step(f"Installing {', '.join(missing)}"):
        _run_apt("update")
        _run_apt("install", "--yes", "--no-install-recommends", *missing)


def _run_apt(*arguments: str) -> None:
    # The packages' servers are not started: tests run their own.
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    completed = subprocess.run(
        ["apt-get", "-qq", *arguments], env=environ, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    if completed.returncode:
        print(f"apt-get {' '.join(arguments)} failed. Tests that need a missing package are skipped.", file=sys.stderr)


if __name__ == "__main__":
    install_missing_packages(Progress())
