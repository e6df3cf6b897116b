"""Runs all checks of this checkout: the panel's tests, linters, type checks, then pytest with the given arguments.

System packages that the tests need are installed first, if possible (tools/system_packages.py). All parts run even if one fails; the
exit code is 1 if any failed.

Two pytest processes run at the same time, for about as long each: tests of hubs wait for other processes half of their time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pmh_jupyter.hub.up.progress import Progress  # noqa: E402  (importable only from here on)
from tools.assets import install_npm_packages, run_npm  # noqa: E402
from tools.system_packages import install_missing_packages  # noqa: E402

PANEL_FOLDER = ROOT / "labextension"
# Tests that start hubs or use the Docker engine, of which a machine has one. The other process runs the remaining tests.
HUB_TESTS = (
    "tests/integration/faults",
    "tests/integration/grading/backends/test_docker.py",
    "tests/integration/hub",
    "tests/integration/up",
    "tests/integration/wheel",
    "tests/e2e",
)


def main(arguments: list[str]) -> int:
    """Runs every part. Returns the exit code."""
    progress = Progress()
    install_missing_packages(progress)
    install_npm_packages("labextension", progress)
    parts: dict[str, Callable[[], bool]] = {
        "the panel's tests": lambda: run_npm(PANEL_FOLDER, "test", "--silent"),
        "the panel's linter": lambda: run_npm(PANEL_FOLDER, "run", "--silent", "lint:check"),
        "ruff": lambda: _run_module("ruff", "check", "--quiet"),
        "ruff's format": lambda: _run_module("ruff", "format", "--check", "--quiet"),
        "mypy": lambda: _run_module("mypy", "--no-error-summary"),
    }
    # Arguments select tests of pytest. The other parts are skipped then.
    if arguments:
        return _report_failures([] if _run_module("pytest", *arguments) else ["pytest"])
    with _run_in_background("pytest", *HUB_TESTS) as has_succeeded:
        failed = [title for title, run in parts.items() if not _run_step(progress, title, run)]
        if not _run_module("pytest", *(f"--ignore={path}" for path in HUB_TESTS)):
            failed.append("pytest")
        progress.print_line("\nTests of hubs, which ran at the same time:\n")
        if not has_succeeded():
            failed.append("pytest of hubs")
    return _report_failures(failed)


def _report_failures(failed: list[str]) -> int:
    if failed:
        print(f"make test: failed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


@contextmanager
def _run_in_background(module: str, *arguments: str) -> Iterator[Callable[[], bool]]:
    """Runs a Python module in the background. Yields a function that waits for it, prints its output, and returns True on success."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        command, environ = _module_command(module, *arguments)
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output)

        def has_succeeded() -> bool:
            process.wait()
            output.seek(0)
            for line in output:
                print(line, end="")
            print(flush=True)
            return process.returncode == 0

        try:
            yield has_succeeded
        finally:
            process.wait()  # also after Ctrl-C, which interrupts the module as well


def _run_step(progress: Progress, title: str, run: Callable[[], bool]) -> bool:
    """Runs one part and prints its duration. Returns True on success."""
    try:
        with progress.step(title):
            if not run():
                raise ChildProcessError(title)
    except ChildProcessError:
        return False
    return True


def _run_module(module: str, *arguments: str) -> bool:
    command, environ = _module_command(module, *arguments)
    return subprocess.run(command, cwd=ROOT, env=environ).returncode == 0


def _module_command(module: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The command and environment to run a module with this Python and its commands first on the PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return [sys.executable, "-m", module, *arguments], os.environ | {"PATH": path}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
