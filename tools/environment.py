"""Makes `.venv`: `environment.py hub` installs what runs a hub, `environment.py dev` that and the rest, `… package` our package.

Runs on a Python 3.11 or newer that has nothing installed. uv does the work, because it is quick; it comes from the lock by pip.
Where uv cannot reach the index that pip is set up for, pip does it all.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pmh_jupyter.hub.up.progress import Progress  # noqa: E402  (importable only from here on)
from pmh_jupyter.hub.up.stamps import content_hash, is_current, write_stamp  # noqa: E402

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PACKAGE_SOURCES = [ROOT / name for name in ("pyproject.toml", "hatch_build.py", "jupyter-config", "pmh_jupyter/labextension")]


# A lock, and those whose packages it holds at the same versions.
HOLDS = {"hub": ("hub",), "dev": ("dev", "hub")}


def main(what: str) -> None:
    """Brings `.venv` up to a lock, or our package in it up to its sources; does nothing that is done already."""
    progress = Progress()
    if what == "package":
        _install_package(progress)
    else:
        _make_venv(progress)
        _install_lock(what, progress)


def _make_venv(progress: Progress) -> None:
    if _runs(PYTHON):
        return
    with progress.step(f"Making .venv with Python {sys.version.split()[0]}"):
        done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\nNo environment could be made. On Debian and Ubuntu: apt-get install python3-venv")


def _runs(python: Path) -> bool:
    try:
        asked = subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], capture_output=True)
    except OSError:
        return False
    return asked.returncode == 0


def _install_lock(name: str, progress: Progress) -> None:
    lock = _lock(name)
    if is_current(_stamp(name), content_hash([lock])):
        return
    with progress.step("Bringing uv"):
        _bring_uv(lock)
    with progress.step(f"Installing requirements/{name}.lock"):
        _install("--require-hashes", "--no-deps", "-r", str(lock))
    for held in HOLDS[name]:
        write_stamp(_stamp(held), content_hash([_lock(held)]))


def _lock(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.lock"


def _stamp(name: str) -> Path:
    return VENV / f".{name}.stamp"


def _bring_uv(lock: Path) -> None:
    """Only the lock's own lines on uv: so uv is held to its hashes too."""
    lines = lock.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("uv=="))
    end = next((n for n in range(start + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write("\n".join(lines[start:end]) + "\n")
        requirements.flush()
        _pip("--require-hashes", "--no-deps", "-r", requirements.name)


def _install(*arguments: str) -> None:
    quick = [str(PYTHON), "-m", "uv", "pip", "install", "--quiet", "--python", str(PYTHON), *arguments]
    if subprocess.run(quick, stderr=subprocess.PIPE, env=_uv_environ()).returncode:
        _pip(*arguments)


def _pip(*arguments: str) -> None:
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    if subprocess.run(command).returncode:
        sys.exit("The packages could not be installed; the lines above say why. Is a package index reachable?")


def _uv_environ() -> dict[str, str]:
    """uv does not read pip's settings: it is handed the ones that say where packages are and whom to trust."""
    asked = {"global.index-url": "UV_DEFAULT_INDEX", "global.cert": "SSL_CERT_FILE"}
    found = {}
    for setting, variable in asked.items():
        told = subprocess.run([str(PYTHON), "-m", "pip", "config", "get", setting], capture_output=True, text=True)
        if told.returncode == 0 and variable not in os.environ:
            found[variable] = told.stdout.strip()
    return os.environ | found


def _install_package(progress: Progress) -> None:
    stamp, value = VENV / ".package.stamp", content_hash(PACKAGE_SOURCES, str(ROOT))
    if is_current(stamp, value):
        return
    with progress.step("Installing pmh_jupyter"):
        _install("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    write_stamp(stamp, value)


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        sys.exit(f"pmh_jupyter needs Python 3.11 or newer; this is {sys.version.split()[0]}. Say which: make PYTHON=python3.12 …")
    main(sys.argv[1])
