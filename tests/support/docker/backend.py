"""The Docker backend with an image that mounts this machine's software, so that no image must be pulled."""

from __future__ import annotations

import sys

from pmh_jupyter.grading.backends.docker import DockerBackend
from tests.support.docker.engine import machine_folders, skeleton_image

IMAGE = "pmh-test-grader"


def docker_backend() -> DockerBackend:
    """Return the backend on the engine that DOCKER_HOST names."""
    skeleton_image(IMAGE)
    return DockerBackend(IMAGE, sys.executable, ("/usr", *machine_folders()))
