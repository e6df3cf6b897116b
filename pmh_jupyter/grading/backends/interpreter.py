"""Finds the folders that a Python needs, by running that Python and following the symbolic links to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pmh_jupyter.errors import NoSandbox

# Modules are looked up, not imported: importing them would take ten times as long as the rest.
DESCRIBE_CODE = (
    "import json, sys; from importlib.util import find_spec; print(json.dumps([sys.version_info[:2], "
    "all(map(find_spec, ['IPython', 'msgspec'])), "
    "[sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix], sys.path]))"
)


@dataclass(frozen=True)
class GraderPython:
    """A Python that can run students' code.

    installation_paths: the folders and files of its installation. module_folders: the folders on its `sys.path`.
    """

    executable: Path
    installation_paths: tuple[Path, ...]
    module_folders: tuple[Path, ...] = ()


def inspect_grader_python(executable: str) -> GraderPython:
    """Find the folders of a Python. Raises NoSandbox if it does not start, is older than 3.11, or lacks IPython or msgspec."""
    path = Path(os.path.abspath(executable))
    try:
        version, has_modules, prefixes, module_paths = (
            _describe_own_interpreter() if str(path) == os.path.abspath(sys.executable) else _query_interpreter(path)
        )
        if not has_modules:
            raise ValueError("a module is missing")
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise NoSandbox(
            f"{path} cannot run students' code: it does not start, or lacks IPython or msgspec.",
            advice="Set PMH_GRADER_PYTHON to the Python of an environment in which ipython and msgspec are installed.",
        ) from error
    if tuple(version) < (3, 11):
        raise NoSandbox(f"{path} is older than Python 3.11.", advice="Set PMH_GRADER_PYTHON to Python 3.11 or newer.")
    prefix_folders = {Path(prefix) for prefix in prefixes} | {Path(prefix).resolve() for prefix in prefixes}
    module_folders = tuple(Path(name) for name in module_paths if name and Path(name).is_dir())
    return GraderPython(path, tuple(_find_installation_paths(path, prefix_folders - {Path("/")})), module_folders)


def _query_interpreter(path: Path) -> Any:
    """Run another Python to find its version, whether it has the needed modules, its prefixes and its `sys.path`."""
    completed = subprocess.run([path, "-I", "-c", DESCRIBE_CODE], capture_output=True, timeout=60, check=True)
    return json.loads(completed.stdout)


def _describe_own_interpreter() -> tuple[tuple[int, int], bool, set[str], list[str]]:
    """Return the same for this Python, without folders on `sys.path` that are outside of its prefixes."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    module_paths = [name for name in sys.path if any(Path(prefix) in Path(name).parents for prefix in prefixes)]
    return sys.version_info[:2], all(map(find_spec, ("IPython", "msgspec"))), prefixes, module_paths


def _find_installation_paths(executable: Path, prefix_folders: set[Path]) -> list[Path]:
    """Return the outermost of the folders, and the symbolic links to the executable outside of them."""
    paths = [
        folder for folder in sorted(prefix_folders) if not any(other in folder.parents for other in prefix_folders)
    ]
    for link in _list_symlink_chain(executable):
        if not any(part in link.parents for part in paths):
            paths.append(link)
    return paths


def _list_symlink_chain(path: Path) -> list[Path]:
    links = [path]
    while links[-1].is_symlink() and len(links) < 20:
        links.append(Path(os.path.normpath(links[-1].parent / os.readlink(links[-1]))))
    return links
