"""Installs packages from a lock into an environment: uv where it is there and reaches the index, because it is quick; else pip.

Only the standard library is used here: `make up` reads this file before anything of ours is installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pmh_jupyter.errors import Unavailable

# uv reads none of pip's settings: it is handed the ones that say where packages are, and whom to trust.
UV_VARIABLES_BY_PIP_SETTING = {"global.index-url": "UV_DEFAULT_INDEX", "global.cert": "SSL_CERT_FILE"}


def install_packages(python: Path, *arguments: str, compile_bytecode: bool = False) -> None:
    """`pip install` with these arguments, for the environment of `python`; raises Unavailable with the installer's last words.

    `compile_bytecode` is for an environment that its users cannot write to: else every start would compile everything again.
    """
    uv_command = ["uv", "pip", "install", "--quiet", "--python", str(python)]
    uv_command += ["--compile-bytecode"] if compile_bytecode else []
    if _run_module([*uv_command, *arguments], _uv_environ()) is None:
        return
    failure = _run_module(["pip", "--python", str(python), "install", "--quiet", *arguments], dict(os.environ))
    if failure is not None:
        raise Unavailable(
            f"Packages could not be installed for {python}:\n{failure}",
            advice="Is a package index reachable? pip's own settings (pip.conf, PIP_INDEX_URL) say which is asked.",
        )


def _run_module(module: list[str], environ: dict[str, str]) -> str | None:
    """Runs a module of this Python; None if it did well, else what it said."""
    command = [sys.executable, "-m", *module]
    completed = subprocess.run(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return completed.stdout.strip() if completed.returncode else None


def _uv_environ() -> dict[str, str]:
    variables = {}
    for setting, variable in UV_VARIABLES_BY_PIP_SETTING.items():
        command = [sys.executable, "-m", "pip", "config", "get", setting]
        completed = subprocess.run(command, capture_output=True, text=True)
        if completed.returncode == 0 and variable not in os.environ:
            variables[variable] = completed.stdout.strip()
    return os.environ | variables
