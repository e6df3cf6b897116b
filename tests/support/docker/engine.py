"""A real Docker engine for tests, and an image that mounts this machine's software read-only.

with docker_engine():
    skeleton_image("pmh-test")
    with running_hub(tmp_path, DOCKER_CONFIG, PMH_SPAWNER="docker", PMH_DOCKER_IMAGE="pmh-test") as hub: ...
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pmh_jupyter.hub.server_files import find_server_files

SCRIPT = Path(__file__).with_name("docker-engine")
DOCKER_CONFIG = Path(__file__).with_name("hub_config.py")
UP_SECONDS = 120


@contextmanager
def docker_engine() -> Iterator[None]:
    """Use the engine that DOCKER_HOST names, or starts one and removes all of its files at the end."""
    if os.environ.get("DOCKER_HOST"):
        yield
        return
    folder = tempfile.mkdtemp(prefix="pmh-docker-", dir="/var/tmp")
    try:
        _run("up", folder)
        os.environ["DOCKER_HOST"] = f"unix://{folder}/docker.sock"
        yield
    finally:
        os.environ.pop("DOCKER_HOST", None)
        _run("down", folder)


def skeleton_image(name: str, python: str = sys.executable) -> None:
    """Create an image in which the environment of this machine's Python can be mounted; see `machine_folders`."""
    _run("image", name, *machine_folders(python))


def machine_folders(python: str = sys.executable) -> list[str]:
    """Return the folders besides /usr that a container needs to run this machine's Python."""
    return [str(path) for path in find_server_files(python).readable]


def _run(*arguments: str) -> None:
    completed = subprocess.run([str(SCRIPT), *arguments], capture_output=True, text=True, timeout=UP_SECONDS)
    assert completed.returncode == 0, f"docker-engine {' '.join(arguments)}: {completed.stderr[-3000:]}"
