"""The wall of containers around this machine's own software, for want of an image to pull."""

from __future__ import annotations

import sys

from pmh_jupyter.grading.backends.docker import DockerBackend
from tests.support.docker.engine import machine_folders, skeleton_image

IMAGE = "pmh-test-grader"


def docker_wall() -> DockerBackend:
    """A wall on the engine that DOCKER_HOST names."""
    skeleton_image(IMAGE)
    return DockerBackend(IMAGE, sys.executable, ("/usr", *machine_folders()))
