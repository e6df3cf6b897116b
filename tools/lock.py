"""Writes requirements/*.lock from pyproject.toml: every version pinned and hashed, for every platform, without index addresses.

    hub.lock     the hub's packages, and those that build our package in a checkout
    server.lock  the packages of users' servers and of the grading sandbox; few, because imports slow down every start
    dev.lock     hub.lock, and the packages to test, lint and document

Run it with `make lock`; `make lock ARGS=--upgrade` chooses newer versions if pyproject.toml allows them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pmh_jupyter.hub.up.installer import make_uv_environ  # noqa: E402  (importable only from here on)

LOCKS_FOLDER = ROOT / "requirements"

# rfc3987-syntax (for jsonschema's optional formats) builds a grammar with lark at import, which takes a second in every process of
# ours. jupyter-events requires it, but nothing uses it: the locks omit both packages, and are installed without resolving.
EXCLUDED_PACKAGES = ["--no-emit-package", "rfc3987-syntax", "--no-emit-package", "lark"]
COMMON_OPTIONS = [
    "pyproject.toml",
    "--generate-hashes",
    "--universal",
    "--no-header",
    "--no-annotate",
    "--quiet",
    *EXCLUDED_PACKAGES,
]
HUB_OPTIONS = ["--extra", "hub", "--extra", "docker", "--extra", "postgres", "--group", "build"]


def main(arguments: list[str]) -> None:
    """Compile the three locks, hub.lock first, because the others must agree with it."""
    _compile_lock("hub.lock", HUB_OPTIONS, arguments)
    constraint = ["--constraint", "requirements/hub.lock"]
    _compile_lock("server.lock", constraint, arguments)
    groups = ["--group", "build", "--group", "test", "--group", "lint", "--group", "docs"]
    _compile_lock("dev.lock", ["--all-extras", *groups, *constraint], arguments)


def _compile_lock(name: str, options: list[str], arguments: list[str]) -> None:
    target = LOCKS_FOLDER / name
    command = ["uv", "pip", "compile", *COMMON_OPTIONS, *options, "--output-file", str(target), *arguments]
    print("lock:", name, flush=True)
    subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=make_uv_environ(), check=True)
    addresses = [line for line in target.read_text().splitlines() if "://" in line or line.startswith("--index")]
    if addresses:
        sys.exit(f"{name} must not contain addresses: {addresses}")


if __name__ == "__main__":
    main(sys.argv[1:])
