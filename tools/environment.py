"""Makes `.venv` and what belongs into it: `environment.py hub assets package`, in this order.

`hub` installs what runs a hub, `dev` that and the rest; `assets` builds what is not Python, `package` installs our package. One process
for all of it, because most starts of `make up` find everything made, and that should cost no more than looking.

Runs on a Python 3.11 or newer that has nothing installed. uv does the work, because it is quick; it comes from the lock by pip.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from importlib import invalidate_caches
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 (this file is what tells it to older ones)
    sys.exit(
        f"pmh_jupyter needs Python 3.11 or newer; this is {sys.version.split()[0]}. Say which: make up PYTHON=python3.12"
    )

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pmh_jupyter.errors import PmhError  # noqa: E402  (importable only from here on)
from pmh_jupyter.hub.up.installer import install_packages  # noqa: E402
from pmh_jupyter.hub.up.progress import Progress  # noqa: E402
from pmh_jupyter.hub.up.stamps import content_hash, is_current, write_stamp  # noqa: E402
from tools import assets  # noqa: E402

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PACKAGE_SOURCES = [
    ROOT / name for name in ("pyproject.toml", "hatch_build.py", "jupyter-config", "pmh_jupyter/labextension")
]

# A lock, and those whose packages it holds at the same versions.
INCLUDED_LOCKS = {"hub": ("hub",), "dev": ("dev", "hub")}


def main(parts: list[str]) -> None:
    """Brings each part up to what it is made from, in the order given; does nothing that is done already."""
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
    with progress.step(f"Making .venv with Python {sys.version.split()[0]}"):
        completed = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if completed.returncode:
        sys.exit("No environment could be made. On Debian and Ubuntu: apt-get install python3-venv")


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
    if is_current(_stamp_path(name), content_hash([lock])):
        return
    with progress.step("Bringing uv"):
        _install_uv(lock)
    with progress.step(f"Installing requirements/{name}.lock"):
        install_packages(PYTHON, "--require-hashes", "--no-deps", "-r", str(lock))
    invalidate_caches()  # the next part imports what has just come
    for included_name in INCLUDED_LOCKS[name]:
        write_stamp(_stamp_path(included_name), content_hash([_lock_path(included_name)]))


def _lock_path(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.lock"


def _stamp_path(name: str) -> Path:
    return VENV / f".{name}.stamp"


def _install_uv(lock: Path) -> None:
    """Only the lock's own lines on uv: so uv is held to its hashes too. Where it cannot be had, pip will do without."""
    lines = lock.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("uv=="))
    end = next((n for n in range(start + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write("\n".join(lines[start:end]) + "\n")
        requirements.flush()
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--require-hashes", "-r", requirements.name])


def _install_package(progress: Progress) -> None:
    stamp, fingerprint = VENV / ".package.stamp", content_hash(PACKAGE_SOURCES, str(ROOT))
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
