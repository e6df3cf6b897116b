"""Sandbox backends, which contain students' code. `find_backend` returns the one that this machine supports."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.backends.backend import JudgeRun, SandboxBackend
from pmh_jupyter.grading.backends.bubblewrap import BubblewrapBackend
from pmh_jupyter.grading.backends.interpreter import GraderPython, inspect_grader_python
from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from pmh_jupyter.grading.runtime.transport.bundle import Bundle

__all__ = ["JudgeRun", "SandboxBackend", "create_bubblewrap_backend", "find_backend", "find_contained_backend"]


# Running one empty cell needs everything that a submission needs.
_PROBE: Bundle = {
    "cells": [{"cell": 0, "kind": "student", "source": "", "grade_id": None, "compiled": ""}],
    "files": [],
    "release_paths": [],
    "limits": {
        "cell_seconds": 20,
        "submission_seconds": 30,
        "memory_bytes": 1 << 30,
        "processes": None,
        "output_bytes": 1 << 20,
        "file_bytes": 1 << 20,
    },
    "seed": 0,
    "preload": [],
    "isolation": None,
    "kernel": "",
    "is_recording": False,
}
PROBE_BUNDLE = json.dumps(_PROBE).encode()


def find_backend(settings: Settings) -> SandboxBackend:
    """Return the sandbox backend that this machine supports, after starting it once.

    PMH_GRADER_SANDBOX selects it. With "auto" and no sandbox, a hub on loopback gets `UnsandboxedBackend`; callers should show users that
    its `is_contained` is False. Raises NoSandbox on any other hub, and if the configured Python cannot run students' code.
    """
    if settings.grader_sandbox == "docker":
        return _create_docker_backend(settings)
    python = inspect_grader_python(settings.grader_python or settings.server_python or sys.executable)
    try:
        return _probe_bubblewrap(python)
    except NoSandbox:
        if not settings.is_on_loopback or settings.grader_sandbox == "bubblewrap":
            raise
        return UnsandboxedBackend(python.executable)


def find_contained_backend(find: Callable[[], SandboxBackend]) -> SandboxBackend | None:
    """Return the backend that `find` returns; None if there is none, or if it does not contain code. Courses are not trusted either."""
    try:
        backend = find()
    except NoSandbox:
        return None
    return backend if backend.is_contained else None


def _create_docker_backend(settings: Settings) -> SandboxBackend:
    try:
        from pmh_jupyter.grading.backends.docker import DockerBackend  # needs the extra `docker`
    except ImportError as error:
        raise NoSandbox(
            "Docker's client for Python is not installed.",
            advice="Run `pip install 'pmh-jupyter[docker]'`, or set PMH_GRADER_SANDBOX.",
        ) from error
    return _probe_backend(
        DockerBackend(settings.grader_image or settings.docker_image, settings.grader_python or "python3")
    )


def create_bubblewrap_backend(python: str = sys.executable) -> SandboxBackend:
    """Return a bubblewrap backend for this Python. Raises NoSandbox, with the reason, if it does not start."""
    return _probe_bubblewrap(inspect_grader_python(python))


def _probe_bubblewrap(python: GraderPython) -> SandboxBackend:
    """Return a backend that grades in control groups, or without them if the kernel does not let its processes join one."""
    backend = BubblewrapBackend(python)
    try:
        return _probe_backend(backend)
    except NoSandbox:
        if not backend.groups.controllers:
            raise
        backend.groups.disable()
        return _probe_backend(backend)


def _probe_backend(backend: SandboxBackend) -> SandboxBackend:
    judge_run = backend.run(PROBE_BUNDLE, EffectiveLimits(submission_seconds=30))
    if b'"completed"' not in judge_run.output:
        backend.close()
        raise NoSandbox(
            f"The sandbox does not run Python: {(judge_run.stderr_tail or judge_run.output.decode('utf-8', 'replace'))[-400:].strip()}"
        )
    return backend
