"""Sandbox backends: selected or refused, for root and for other users, and ended together with their owner."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.isolation import Isolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import NoSandbox, Unavailable
from pmh_jupyter.grading.backends import bubblewrap as bubblewrap_backend
from pmh_jupyter.grading.backends import create_bubblewrap_backend, find_backend
from pmh_jupyter.grading.backends.backend import JudgeRun
from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from pmh_jupyter.grading.canary import run_canary
from pmh_jupyter.grading.compiled_cell_cache import CompiledCellCache
from pmh_jupyter.grading.runtime.sandbox.linux import find_descendants
from tests.support.grading.lesson import (
    RIGHT,
    fill_in_answers,
    grade_in_sandbox,
    make_notebook_file,
    make_release_isolation,
    make_task,
)
from tests.support.waiting import TIMEOUT_SECONDS, wait_until

ROOT = Path(__file__).parents[4]


class SilentBackend:
    """A backend whose judge writes a fixed output."""

    name, is_contained = "silent", True

    def __init__(self, output: bytes = b"") -> None:
        self.output = output
        self.compiled_cells = CompiledCellCache()

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        return JudgeRun(self.output, stderr_tail="no room")

    def fingerprint(self, preload: tuple[str, ...] = ()) -> str:
        return ""

    def list_missing_controllers(self) -> list[str]:
        return []

    def close(self) -> None:
        """Nothing is kept."""


class RefusingBackend(SilentBackend):
    """A backend that no longer starts."""

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        raise NoSandbox("bubblewrap does not start")


@pytest.mark.needs("bubblewrap")
def test_default_backend_is_bubblewrap_and_grades() -> None:
    backend = find_backend(Settings(grader_python=sys.executable))
    assert (backend.name, backend.is_contained) == ("bubblewrap", True)
    run_canary(backend)


def _script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def test_without_a_sandbox_grading_is_unsandboxed_on_loopback_and_refused_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bwrap = _script(tmp_path / "bwrap", "echo 'bwrap: No permissions to create new namespace' >&2", "exit 1")
    monkeypatch.setattr(bubblewrap_backend, "find_bwrap", lambda: bwrap)
    backend = find_backend(Settings(grader_python=sys.executable))
    assert (backend.name, backend.is_contained) == ("none", False)
    run_canary(backend)
    with pytest.raises(NoSandbox, match="No permissions") as caught:
        find_backend(Settings(grader_python=sys.executable, ip="0.0.0.0"))
    assert "Install bubblewrap" in caught.value.advice


def test_python_that_cannot_run_students_code_is_refused_on_loopback_too(tmp_path: Path) -> None:
    python = _script(tmp_path / "python", "exit 1")
    with pytest.raises(NoSandbox) as caught:
        find_backend(Settings(grader_python=str(python)))
    assert str(python) in caught.value.message and "PMH_GRADER_PYTHON" in caught.value.advice


def test_missing_python_is_refused() -> None:
    with pytest.raises(NoSandbox):
        create_bubblewrap_backend("/nowhere/python")


def test_canary_passes_without_a_sandbox_and_refuses_a_silent_backend() -> None:
    run_canary(UnsandboxedBackend())
    with pytest.raises(Unavailable) as caught:
        run_canary(SilentBackend())
    assert "silent" in caught.value.message


@pytest.mark.parametrize("backend", [SilentBackend(), SilentBackend(b'{"event": "solved"}\n'), RefusingBackend()])
def test_grader_error_gives_no_points_and_is_reported(backend: SilentBackend) -> None:
    isolation = make_release_isolation(Isolation.SEPARATE_PROCESS)
    grading = grade_in_sandbox(make_task(make_notebook_file(fill_in_answers(RIGHT)), isolation=isolation), backend)
    assert grading.grader_error is not None
    assert {(verdict.outcome, verdict.millipoints) for verdict in grading.verdicts} == {(Outcome.GRADER_ERROR, 0)}


# Runs a command as nobody, in a mount namespace in which a Python below /root is accessible.
AS_NOBODY = """
set -e
mount --make-rprivate /
base="$1"; shift
mkdir -p "$KEEP"
mount --bind "$base" "$KEEP"
case "$base" in /root/*) mount -t tmpfs -o mode=755 none /root; mkdir -p "$base"; mount --bind "$KEEP" "$base";; esac
exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all "$@"
"""

NOBODY = """
import os, sys
from pmh_jupyter.grading.canary import run_canary
from pmh_jupyter.grading.backends import create_bubblewrap_backend
from pmh_jupyter.grading.runtime.sandbox.namespaces import MAX_INOTIFY_INSTANCES
from tests.support.grading.concurrent_probe import start_children
from tests.support.grading.containment import SURVIVE, probe_succeeds
from tests.support.processes import find_processes

assert os.getuid() == 65534
backend = create_bubblewrap_backend(sys.executable)
run_canary(backend)
assert not probe_succeeds("reached = bool(open('/etc/passwd').read())", backend, {})
assert not probe_succeeds("reached = bool(open('/proc/1/fd/1', 'w'))", backend, {})
watch = "import ctypes; watch = ctypes.CDLL(None).inotify_init1; reached = [watch(0) >= 0 for _ in range({})][-1]"
assert probe_succeeds(watch.format(1), backend, {})
assert not probe_succeeds(watch.format(MAX_INOTIFY_INSTANCES + 1), backend, {})
(count,) = start_children(backend, 25, processes=30)
assert count < 30, count
probe_succeeds(SURVIVE.format(word="nobody-survivor"), backend, {})
assert find_processes("nobody-survivor") in ([], [os.getpid()])
print("contained")
"""


@pytest.mark.needs("bubblewrap", "root")
def test_sandbox_contains_submissions_of_a_grader_that_is_not_root(tmp_path: Path) -> None:
    command = ["unshare", "--mount", "sh", "-c", AS_NOBODY, "sh", sys.base_prefix, sys.executable, "-c", NOBODY]
    environ = os.environ | {"KEEP": str(tmp_path / "keep"), "PYTHONPATH": str(ROOT)}
    completed = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environ, check=False)
    assert (completed.stdout.strip().splitlines()[-1:], completed.returncode) == (["contained"], 0), completed.stderr[
        -2000:
    ]


GRADER = """
import threading

from tests.support.grading.lesson import RIGHT, fill_in_answers, grade_in_sandbox, make_notebook_file, make_task, start_bubblewrap_backend

source = "import time\\ntime.sleep(60)"
task = make_task(make_notebook_file(fill_in_answers(RIGHT | {"mean": source})))
print("begin", flush=True)
threading.Thread(target=grade_in_sandbox, args=(task, start_bubblewrap_backend()), daemon=True).start()
input()
"""


@pytest.mark.needs("bubblewrap")
def test_a_sandbox_does_not_outlive_its_grader() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", GRADER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as grader:
        assert grader.stdout and grader.stdout.readline() == "begin\n"
        sandbox = _await_children(grader.pid)
        grader.kill()
    for pid in sandbox:
        _await_end(pid)


def _await_children(pid: int) -> list[int]:
    """Return the processes below a grader as soon as a worker runs in the sandbox."""
    descendants: list[int] = []

    def has_worker() -> bool:
        descendants[:] = find_descendants(pid)
        return len(descendants) >= 3  # bubblewrap, the fork server, the worker

    wait_until(has_worker, "a worker to run")
    return descendants


def _await_end(pid: int) -> None:
    """Wait until the process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([descriptor], [], [], TIMEOUT_SECONDS)[0], f"process {pid} outlived its grader"
    os.close(descriptor)
