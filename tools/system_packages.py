"""Installs what tests need of the machine and pip cannot bring: a browser, database servers, a container engine.

Only as root on Debian and its kin. Elsewhere the tests that need a missing part say so and are skipped.
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

# Debian's package, and whether what we want of it is there already.
REQUIRED_PACKAGES: dict[str, Callable[[], bool]] = {
    "chromium": lambda: bool(shutil.which("chromium")),
    "fonts-dejavu-core": lambda: Path("/usr/share/fonts/truetype/dejavu").is_dir(),
    "postgresql": lambda: any(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
    "redis-server": lambda: bool(shutil.which("redis-server")),
    "docker.io": lambda: bool(shutil.which("dockerd")),
    "iproute2": lambda: bool(shutil.which("ip")),
}


def install_missing_packages(progress: Progress) -> None:
    """Installs what is missing; says what is left missing where that cannot be done."""
    missing = [name for name, is_installed in REQUIRED_PACKAGES.items() if not is_installed()]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        progress.print_line(f"   Not here, so tests that need them are skipped: {', '.join(missing)}")
        return
    with progress.step(f"Installing {', '.join(missing)}"):
        _run_apt("update")
        _run_apt("install", "--yes", "--no-install-recommends", *missing)


def _run_apt(*arguments: str) -> None:
    # Servers that come along are not started: tests run their own, with data of their own.
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    completed = subprocess.run(
        ["apt-get", "-qq", *arguments], env=environ, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    if completed.returncode:
        print(f"apt-get {' '.join(arguments)} failed; tests that need a missing part will say so.", file=sys.stderr)


if __name__ == "__main__":
    install_missing_packages(Progress())
