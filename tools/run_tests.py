"""Everything that says whether this checkout is sound: the panel's own tests, linters, types, then pytest with these arguments.

What the tests need of the machine is installed first where that can be done (tools/system_packages.py). All parts are run, also
after one has failed; the exit code is 1 if any did.
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
from tools.assets import npm, packages  # noqa: E402
from tools.system_packages import bring  # noqa: E402

PANEL = ROOT / "labextension"


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
    failed = [] if arguments else [title for title, run in parts.items() if not _step(progress, title, run)]
    if not _python("pytest", *arguments):
        failed.append("pytest")
    if failed:
        print(f"make test: failed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


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
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": path}).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
