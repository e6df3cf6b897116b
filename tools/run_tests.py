"""Everything that says whether this checkout is sound: the panel's own tests, linters, types, then pytest with these arguments.

What the tests need of the machine is installed first where that can be done (tools/system_packages.py). All parts are run, also
after one has failed; the exit code is 1 if any did.

pytest runs twice at the same time, over halves of about the same length: tests of hubs wait for other processes half of their time.
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
from tools.assets import npm, packages  # noqa: E402
from tools.system_packages import bring  # noqa: E402

PANEL = ROOT / "labextension"
# Whatever starts hubs, and all that wants the one Docker engine which a machine can have; the other half is the rest.
HUBS = (
    "tests/integration/faults",
    "tests/integration/grading/test_docker_wall.py",
    "tests/integration/hub",
    "tests/integration/up",
    "tests/integration/wheel",
    "tests/e2e",
)


def main(arguments: list[str]) -> int:
    """Runs every part; returns the exit code."""
    progress = Progress()
    bring(progress)
    packages("labextension", progress)
    parts: dict[str, Callable[[], bool]] = {
        "the panel's tests": lambda: npm(PANEL, "test", "--silent"),
        "the panel's linter": lambda: npm(PANEL, "run", "--silent", "lint:check"),
        "ruff": lambda: _python("ruff", "check", "--quiet"),
        "ruff's format": lambda: _python("ruff", "format", "--check", "--quiet"),
        "mypy": lambda: _python("mypy", "--no-error-summary"),
    }
    # Arguments pick from pytest's tests: whoever gives some is after those, and not after the rest.
    if arguments:
        return _summary([] if _python("pytest", *arguments) else ["pytest"])
    with _beside("pytest", *HUBS) as ended_well:
        failed = [title for title, run in parts.items() if not _step(progress, title, run)]
        if not _python("pytest", *(f"--ignore={path}" for path in HUBS)):
            failed.append("pytest")
        progress.say("\nThe tests of hubs, which have run beside these:\n")
        if not ended_well():
            failed.append("pytest of hubs")
    return _summary(failed)


def _summary(failed: list[str]) -> int:
    if failed:
        print(f"make test: failed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


@contextmanager
def _beside(module: str, *arguments: str) -> Iterator[Callable[[], bool]]:
    """Starts a module meanwhile. What it gives waits for its end, prints what it said, and tells whether it did well."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        command, environ = _command(module, *arguments)
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output)

        def ended_well() -> bool:
            process.wait()
            output.seek(0)
            for line in output:
                print(line, end="")
            print(flush=True)
            return process.returncode == 0

        try:
            yield ended_well
        finally:
            process.wait()  # also where Ctrl-C, which it got as well, is the way out of here


def _step(progress: Progress, title: str, run: Callable[[], bool]) -> bool:
    """One part, told with its time; whether it did well."""
    try:
        with progress.step(title):
            if not run():
                raise ChildProcessError(title)
    except ChildProcessError:
        return False
    return True


def _python(module: str, *arguments: str) -> bool:
    command, environ = _command(module, *arguments)
    return subprocess.run(command, cwd=ROOT, env=environ).returncode == 0


def _command(module: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """A module run by this Python, with its environment's commands first on the PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return [sys.executable, "-m", module, *arguments], os.environ | {"PATH": path}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
