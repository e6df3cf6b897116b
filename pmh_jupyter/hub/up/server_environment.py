"""The lean environment in which users' servers run, and students' code is graded: `<data>/server-env`.

It holds requirements/server.lock and our package, and neither nbgrader nor anything of the hub: what is not there costs no server
memory or time. Users cannot write to it, so its bytecode is compiled here. Made again only when what it is made from has changed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.hub.up.installer import install
from pmh_jupyter.hub.up.progress import Progress
from pmh_jupyter.hub.up.stamps import content_hash, is_current, write_stamp
from pmh_jupyter.places import PACKAGE, panel, server_config, server_lock

# Of our package a server needs no proxy; the panel goes where JupyterLab looks; courses hold solutions and hidden tests.
LEFT_OUT = ("hub/proxy", "labextension", "courses")

SCRIPT = """#!{python}
import sys
from pmh_jupyter.cli import main
sys.exit(main())
"""


def server_environment(data: Path, progress: Progress) -> Path:
    """The environment's Python, after bringing the environment up to date. Raises Unavailable if packages cannot be had."""
    folder = data / "server-env"
    python = folder / "bin" / "python"
    _bring_packages(folder, python, progress)
    _bring_ourselves(folder, python, progress)
    return python


def _bring_packages(folder: Path, python: Path, progress: Progress) -> None:
    lock = server_lock()
    stamp, value = folder / ".lock.stamp", content_hash([lock], sys.version, sys.base_prefix, str(folder))
    if is_current(stamp, value) and python.exists():
        return
    with progress.step("Making the environment of users' servers"):
        venv.create(folder, clear=True, symlinks=True, with_pip=False)
        install(python, "--require-hashes", "--no-deps", "-r", str(lock), compile_bytecode=True)
    write_stamp(stamp, value)


def _bring_ourselves(folder: Path, python: Path, progress: Progress) -> None:
    sources = [PACKAGE, panel(), server_config()]
    stamp, value = folder / ".package.stamp", content_hash(sources)
    if is_current(stamp, value):
        return
    with progress.step("Putting pmh_jupyter into it"):
        stamp.unlink(missing_ok=True)
        _copy_package(_site_packages(folder) / "pmh_jupyter", python)
        _copy(panel(), folder / "share" / "jupyter" / "labextensions" / "pmh-jupyter")
        config = folder / "etc" / "jupyter" / "jupyter_server_config.d" / "pmh_jupyter.json"
        config.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(server_config(), config)
        _write_command(folder / "bin" / "pmh", python)
    write_stamp(stamp, value)


def _copy_package(target: Path, python: Path) -> None:
    left_out = {PACKAGE / name for name in LEFT_OUT}

    def ignored(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if name == "__pycache__" or Path(folder, name) in left_out]

    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(PACKAGE, target, ignore=ignored)
    done = subprocess.run([python, "-m", "compileall", "-q", target], capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f"Our own package does not compile: {done.stdout}", advice="Install pmh-jupyter again.")


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def _write_command(command: Path, python: Path) -> None:
    command.write_text(SCRIPT.format(python=python), encoding="utf-8")
    command.chmod(0o755)


def _site_packages(folder: Path) -> Path:
    return folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
