"""The lean Python environment in which users' servers run and students' code is graded: `<data>/server-env`.

It contains requirements/server.lock and our package, but neither nbgrader nor the hub's packages, which would cost each server
memory and start time. Users cannot write to it, so bytecode is compiled in advance. It is rebuilt only if its inputs have changed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.hub.up.installer import install_packages
from pmh_jupyter.hub.up.progress import Progress
from pmh_jupyter.hub.up.stamps import compute_fingerprint, is_current, write_stamp
from pmh_jupyter.resource_paths import (
    PACKAGE_DIR,
    find_panel_folder,
    find_server_config_file,
    find_server_requirements_file,
)

# Servers need no proxy, the panel is copied to JupyterLab's folder, and courses contain solutions and hidden tests.
EXCLUDED_PATHS = ("hub/proxy", "labextension", "courses")

COMMAND_SCRIPT = """#!{python}
import sys
from pmh_jupyter.cli import main
sys.exit(main())
"""


def ensure_server_environment(data_dir: Path, progress: Progress) -> Path:
    """Build or update the environment, and return its Python. Raises Unavailable if packages cannot be installed."""
    folder = data_dir / "server-env"
    python = folder / "bin" / "python"
    _install_packages(folder, python, progress)
    _install_pmh_jupyter(folder, python, progress)
    return python


def _install_packages(folder: Path, python: Path, progress: Progress) -> None:
    lock = find_server_requirements_file()
    stamp, fingerprint = folder / ".lock.stamp", compute_fingerprint([lock], sys.version, sys.base_prefix, str(folder))
    if is_current(stamp, fingerprint) and python.exists():
        return
    with progress.step("Creating the environment of users' servers"):
        venv.create(folder, clear=True, symlinks=True, with_pip=False)
        install_packages(python, "--require-hashes", "--no-deps", "-r", str(lock), compile_bytecode=True)
    write_stamp(stamp, fingerprint)


def _install_pmh_jupyter(folder: Path, python: Path, progress: Progress) -> None:
    sources = [PACKAGE_DIR, find_panel_folder(), find_server_config_file()]
    stamp, fingerprint = folder / ".package.stamp", compute_fingerprint(sources)
    if is_current(stamp, fingerprint):
        return
    with progress.step("Installing pmh_jupyter into it"):
        stamp.unlink(missing_ok=True)
        _copy_package(_find_site_packages_folder(folder) / "pmh_jupyter", python)
        _replace_tree(find_panel_folder(), folder / "share" / "jupyter" / "labextensions" / "pmh-jupyter")
        config = folder / "etc" / "jupyter" / "jupyter_server_config.d" / "pmh_jupyter.json"
        config.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(find_server_config_file(), config)
        _write_pmh_command(folder / "bin" / "pmh", python)
    write_stamp(stamp, fingerprint)


def _copy_package(target: Path, python: Path) -> None:
    excluded = {PACKAGE_DIR / name for name in EXCLUDED_PATHS}

    def list_ignored(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if name == "__pycache__" or Path(folder, name) in excluded]

    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(PACKAGE_DIR, target, ignore=list_ignored)
    completed = subprocess.run([python, "-m", "compileall", "-q", target], capture_output=True, text=True)
    if completed.returncode:
        raise Unavailable(f"pmh_jupyter cannot be compiled: {completed.stdout}", advice="Install pmh-jupyter again.")


def _replace_tree(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def _write_pmh_command(command: Path, python: Path) -> None:
    command.write_text(COMMAND_SCRIPT.format(python=python), encoding="utf-8")
    command.chmod(0o755)


def _find_site_packages_folder(folder: Path) -> Path:
    return folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
