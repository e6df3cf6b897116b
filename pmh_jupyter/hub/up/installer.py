"""Installs locked packages into an environment: with uv, which is fast, or with pip if uv is missing or fails.

Uses the standard library only: `make up` imports this file before any package is installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pmh_jupyter.errors import Unavailable

# uv does not read pip's settings, so it gets the index and certificates in its own variables.
UV_VARIABLES_BY_PIP_SETTING = {"global.index-url": "UV_DEFAULT_INDEX", "global.cert": "SSL_CERT_FILE"}


def install_packages(python: Path, *arguments: str, compile_bytecode: bool = False) -> None:
    """Run `pip install` with these arguments for the environment of `python`. Raises Unavailable with the installer's output.

    compile_bytecode: needed if the environment's users cannot write to it. Otherwise each start would compile all modules again.
    """
    uv_command = ["uv", "pip", "install", "--quiet", "--python", str(python)]
    uv_command += ["--compile-bytecode"] if compile_bytecode else []
    if _run_module([*uv_command, *arguments], make_uv_environ()) is None:
        return
    failure = _run_module(["pip", "--python", str(python), "install", "--quiet", *arguments], dict(os.environ))
    if failure is not None:
        raise Unavailable(
            f"Packages could not be installed for {python}:\n{failure}",
            advice="Check that the package index is reachable. pip's settings (pip.conf, PIP_INDEX_URL) name it.",
        )


def _run_module(module: list[str], environ: dict[str, str]) -> str | None:
    """Run a module of this Python. Returns None on success, else its output."""
    command = [sys.executable, "-m", *module]
    completed = subprocess.run(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return completed.stdout.strip() if completed.returncode else None


def make_uv_environ() -> dict[str, str]:
    """Return the environment variables for uv: this process's, with the index and the certificates of pip's settings."""
    variables = {}
    for setting, variable in UV_VARIABLES_BY_PIP_SETTING.items():
        command = [sys.executable, "-m", "pip", "config", "get", setting]
        completed = subprocess.run(command, capture_output=True, text=True)
        if completed.returncode == 0 and variable not in os.environ:
            variables[variable] = completed.stdout.strip()
    return os.environ | variables
