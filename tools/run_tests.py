"""Runs every check of this checkout: the panel's tests, linters, types, then pytest with the given arguments.

Installs what the tests need from the machine first, where that is possible (tools/system_packages.py). Every part runs, even after one
has failed; the exit code is 1 if any part failed. pytest runs in two processes, because tests that start hubs spend half of their time
waiting for other processes; tests/conftest.py decides which tests share a process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pmh_jupyter.hub.up.progress import Progress  # noqa: E402  (importable only from here on)
from tools.assets import install_npm_packages, run_npm  # noqa: E402
from tools.system_packages import install_missing_packages  # noqa: E402

PANEL_FOLDER = ROOT / "labextension"
PARALLEL = ("-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder")


def main(arguments: list[str]) -> int:
    """Run every part and return the exit code. Arguments select tests of pytest, which then runs alone and in one process."""
    progress = Progress()
    install_missing_packages(progress)
    install_npm_packages("labextension", progress)
    if arguments:
        return _report_failures([] if _run_module("pytest", *arguments) else ["pytest"])
    parts: dict[str, Callable[[], bool]] = {
        "the panel's tests": lambda: run_npm(PANEL_FOLDER, "test", "--silent"),
        "the panel's linter": lambda: run_npm(PANEL_FOLDER, "run", "--silent", "lint:check"),
        "ruff": lambda: _run_module("ruff", "check", "--quiet"),
        "ruff's format": lambda: _run_module("ruff", "format", "--check", "--quiet"),
        "mypy": lambda: _run_module("mypy", "--no-error-summary"),
    }
    failed = [title for title, run in parts.items() if not _run_step(progress, title, run)]
    if not _run_module("pytest", *PARALLEL):
        failed.append("pytest")
    return _report_failures(failed)


def _report_failures(failed: list[str]) -> int:
    if failed:
        print(f"make test: failed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


def _run_step(progress: Progress, title: str, run: Callable[[], bool]) -> bool:
    """Run one part and report how long it took. Returns whether it succeeded."""
    try:
        with progress.step(title):
            if not run():
                raise ChildProcessError(title)
    except ChildProcessError:
        return False
    return True


def _run_module(module: str, *arguments: str) -> bool:
    """Run a module with this Python, with the commands of its environment first on the PATH. Returns whether it succeeded."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": path}).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
