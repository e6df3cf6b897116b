"""Between a student's code and this machine. `find_wall` gives the one that this machine can have."""

from __future__ import annotations

import json
import sys

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import NoWall
from pmh_jupyter.grading.task import Limits
from pmh_jupyter.grading.walls.base import Ended, Wall
from pmh_jupyter.grading.walls.bubblewrap import BubblewrapWall
from pmh_jupyter.grading.walls.none import NoContainment
from pmh_jupyter.grading.walls.python import grader_python

__all__ = ["Ended", "Wall", "bubblewrap_wall", "find_wall"]


# One cell, so that a room for a submission must be had.
PROBE = json.dumps(
    {
        "cells": [{"number": 0, "kind": "student", "source": ""}],
        "files": [],
        "limits": {
            "cell_seconds": 20,
            "submission_seconds": 30,
            "memory_bytes": 1 << 30,
            "processes": None,
            "output_bytes": 1 << 20,
            "file_bytes": 1 << 20,
        },
        "seed": 0,
    }
).encode()


def find_wall(settings: Settings) -> Wall:
    """The wall that this machine can have, tried by starting it once.

    PMH_GRADER_WALL says which. With "auto", where none can be had: on loopback `NoContainment` (its `contained` is False: say so
    wherever a person looks), elsewhere NoWall.
    NoWall everywhere when the Python that is to run students' code cannot.
    """
    if settings.grader_wall == "docker":
        return _docker_wall(settings)
    python = grader_python(settings.grader_python or settings.server_python or sys.executable)
    try:
        return _tried(BubblewrapWall(python))
    except NoWall:
        if not settings.on_loopback or settings.grader_wall == "bubblewrap":
            raise
        return NoContainment(python.executable)


def _docker_wall(settings: Settings) -> Wall:
    try:
        from pmh_jupyter.grading.walls.docker import DockerWall  # its client comes with an extra
    except ImportError as error:
        raise NoWall(
            "Docker's client for Python is not installed.",
            advice="pip install 'pmh-jupyter[docker]', or set PMH_GRADER_WALL.",
        ) from error
    return _tried(DockerWall(settings.grader_image or settings.docker_image, settings.grader_python or "python3"))


def bubblewrap_wall(python: str = sys.executable) -> Wall:
    """A bubblewrap wall around the given Python; raises NoWall, with the reason, when it does not start."""
    return _tried(BubblewrapWall(grader_python(python)))


def _tried(wall: Wall) -> Wall:
    ended = wall.run(PROBE, Limits(submission_seconds=30))
    if b'"ran"' not in ended.answer:
        wall.close()
        raise NoWall(
            f"The sandbox does not run Python: {(ended.complaint or ended.answer.decode('utf-8', 'replace'))[-400:].strip()}"
        )
    return wall
