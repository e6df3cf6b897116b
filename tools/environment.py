"""Creates and updates `.venv`: `environment.py hub assets package` runs these parts in this order.

`hub` installs the hub's packages, `dev` those and the development tools; `assets` builds the proxy and the panel, `package` installs
our package. One process runs all parts: most starts of `make up` have nothing to do, and should take no longer than the checks.

Runs on Python 3.11 or newer without any packages. uv installs packages, because it is fast; pip installs uv from the lock.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from importlib import invalidate_caches
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 (older versions must get the message)
    sys.exit(
        f"pmh_jupyter needs Python 3.11 or newer; this is {sys.version.split()[0]}. Choose another: make up PYTHON=python3.12"
    )

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pmh_jupyter.errors import PmhError  # noqa: E402  (importable only from here on)
from pmh_jupyter.hub.up.installer import install_packages  # noqa: E402
from pmh_jupyter.hub.up.progress import Progress  # noqa: E402
from pmh_jupyter.hub.up.stamps import compute_fingerprint, is_current, write_stamp  # noqa: E402
from tools import assets  # noqa: E402

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PACKAGE_SOURCES = [
    ROOT / name for name in ("pyproject.toml", "hatch_build.py", "jupyter-config", "pmh_jupyter/labextension")
]

# Each lock, and the locks whose packages it contains at the same versions.
INCLUDED_LOCKS = {"hub": ("hub",), "dev": ("dev", "hub")}


def main(parts: list[str]) -> None:
    """Update the given parts in order. Parts that are up to date are skipped."""
    progress = Progress()
    if Path(sys.prefix) != VENV:
        _make_venv(progress)
        os.execv(PYTHON, [str(PYTHON), *sys.argv])
    steps = {"assets": assets.build, "package": _install_package}
    for part in parts:
        steps.get(part, partial(_install_lock, part))(progress)


def _make_venv(progress: Progress) -> None:
    if _is_usable(PYTHON):
        return
    with progress.step(f"Creating .venv with Python {sys.version.split()[0]}"):
        completed = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if completed.returncode:
        sys.exit("Creating .venv failed. On Debian and Ubuntu, run: apt-get install python3-venv")


def _is_usable(python: Path) -> bool:
    try:
        completed = subprocess.run(
            [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], capture_output=True
        )
    except OSError:
        return False
    return completed.returncode == 0


def _install_lock(name: str, progress: Progress) -> None:
    lock = _lock_path(name)
    if is_current(_stamp_path(name), compute_fingerprint([lock])):
        return
    with progress.step("Installing uv"):
        _install_uv(lock)
    with progress.step(f"Installing requirements/{name}.lock"):
        install_packages(PYTHON, "--require-hashes", "--no-deps", "-r", str(lock))
    invalidate_caches()  # the next part imports the new packages
    for included_name in INCLUDED_LOCKS[name]:
        write_stamp(_stamp_path(included_name), compute_fingerprint([_lock_path(included_name)]))


def _lock_path(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.lock"


def _stamp_path(name: str) -> Path:
    return VENV / f".{name}.stamp"


def _install_uv(lock: Path) -> None:
    """Install uv with the hashes of the lock. If that fails, pip installs the rest."""
    lines = lock.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("uv=="))
    end = next((n for n in range(start + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write("\n".join(lines[start:end]) + "\n")
        requirements.flush()
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--require-hashes", "-r", requirements.name])


def _install_package(progress: Progress) -> None:
    stamp, fingerprint = VENV / ".package.stamp", compute_fingerprint(PACKAGE_SOURCES, str(ROOT))
    if is_current(stamp, fingerprint):
        return
    with progress.step("Installing pmh_jupyter"):
        install_packages(PYTHON, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    write_stamp(stamp, fingerprint)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except PmhError as error:
        sys.exit(f"{error.message}\n{error.advice}")
    except ChildProcessError as error:
        sys.exit(str(error))
