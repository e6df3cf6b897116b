"""Finds the files that a user's server needs besides the system's: its Python environment and our package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.errors import Unavailable

# Folders of our package that students must not read: the wheel's courses contain solutions and hidden tests.
HIDDEN_FOLDERS = ("courses",)

PROBE_SCRIPT = """
import importlib.util, json, sys
spec = importlib.util.find_spec("pmh_jupyter")
print(json.dumps({
    "prefixes": [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, *filter(None, [sys.executable])],
    "package": list(spec.submodule_search_locations) if spec else [],
}))
"""
PROBE_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class ServerFiles:
    """The files of a server.

    python: runs the server. readable: folders that are mounted read-only, none inside another. hidden: masked paths inside them.
    """

    python: Path
    readable: tuple[Path, ...]
    hidden: tuple[Path, ...]

    @property
    def search_path(self) -> str:
        """The PATH of the server."""
        return f"{self.python.parent}:/usr/local/bin:/usr/bin:/bin"


def find_server_files(python: str, secret_paths: tuple[Path, ...] = ()) -> ServerFiles:
    """Run a Python (empty: this one) to find its folders.

    secret_paths: hidden if they lie inside a readable folder.
    Raises Unavailable if that Python cannot be run or has no pmh_jupyter.
    """
    executable = Path(os.path.abspath(python or sys.executable))
    try:
        completed = subprocess.run(
            [executable, "-I", "-c", PROBE_SCRIPT],
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(
            f"{executable} cannot be run, so no server can be started with it.",
            advice="Set PMH_SERVER_PYTHON to the Python of an environment in which pmh-jupyter is installed.",
        ) from error
    python_info = json.loads(completed.stdout)
    if not python_info["package"]:
        raise Unavailable(
            f"{executable} has no pmh_jupyter, so its servers would have no panel.",
            advice="Install pmh-jupyter into that environment, or set PMH_SERVER_PYTHON to another.",
        )
    package_folders = [Path(path) for path in python_info["package"]]
    readable = [*_find_python_folders(python_info["prefixes"]), *package_folders]
    hidden = [path / name for path in package_folders for name in HIDDEN_FOLDERS if (path / name).is_dir()]
    hidden += [path for path in secret_paths if any(path.is_relative_to(folder) for folder in readable)]
    return ServerFiles(executable, _select_outermost_paths(readable), tuple(hidden))


def _find_python_folders(prefixes: list[str]) -> list[Path]:
    """Return the prefixes with and without symbolic links resolved: a virtual environment often links to its base Python."""
    *folders, executable = prefixes
    prefix_folders = [Path(folder) for folder in folders] + [Path(executable).resolve().parent.parent]
    return [*prefix_folders, *(folder.resolve() for folder in prefix_folders)]


def _select_outermost_paths(paths: list[Path]) -> tuple[Path, ...]:
    """Drop paths that lie inside /usr or inside another of the paths."""
    outermost: list[Path] = []
    for path in sorted(set(paths), key=lambda path: len(path.parts)):
        if not any(path.is_relative_to(other) for other in [Path("/usr"), *outermost]):
            outermost.append(path)
    return tuple(outermost)
