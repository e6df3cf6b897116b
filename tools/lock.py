"""Writes requirements/*.lock anew from pyproject.toml: every version pinned and hashed, for every platform, no address in them.

    hub.lock     what runs a hub (and builds our package in a checkout)
    server.lock  what runs in a user's server and in the grading sandbox: lean, because every import is paid at every start
    dev.lock     hub.lock, and what tests, lints and documents

Run it with `make lock`; `make lock ARGS=--upgrade` takes newer versions where pyproject.toml allows them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "requirements"

# rfc3987-syntax (of jsonschema's optional formats) builds a grammar with lark at import: a second at the start of every process
# of ours. Nothing needs it, but jupyter-events asks for it; so the locks leave both out, and are installed without resolving.
LEFT_OUT = ["--no-emit-package", "rfc3987-syntax", "--no-emit-package", "lark"]
COMMON = ["pyproject.toml", "--generate-hashes", "--universal", "--no-header", "--no-annotate", "--quiet", *LEFT_OUT]
HUB = ["--extra", "hub", "--extra", "docker", "--extra", "postgres", "--group", "build"]


def main(arguments: list[str]) -> None:
    """Compiles the three; hub.lock first, for the others must agree with it."""
    _compile("hub.lock", HUB, arguments)
    same = ["--constraint", "requirements/hub.lock"]
    _compile("server.lock", same, arguments)
    groups = ["--group", "build", "--group", "test", "--group", "lint", "--group", "docs"]
    _compile("dev.lock", ["--all-extras", *groups, *same], arguments)


def _compile(name: str, options: list[str], arguments: list[str]) -> None:
    target = LOCKS / name
    command = ["uv", "pip", "compile", *COMMON, *options, "--output-file", str(target), *arguments]
    print("lock:", name, flush=True)
    subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)
    addresses = [line for line in target.read_text().splitlines() if "://" in line or line.startswith("--index")]
    if addresses:
        sys.exit(f"{name} names an address, and must not: {addresses}")


if __name__ == "__main__":
    main(sys.argv[1:])
