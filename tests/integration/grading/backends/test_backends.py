"""Walls: found or refused, for root and for anybody else, and what they do when a program does not end by itself."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import NoSandbox, Unavailable
from pmh_jupyter.grading.backends import create_bubblewrap_backend, find_backend
from pmh_jupyter.grading.backends.backend import JudgeRun
from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from pmh_jupyter.grading.canary import run_canary
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.runtime.sandbox.linux import find_descendants
from pmh_jupyter.grading.task import EffectiveLimits
from tests.support.grading.lesson import RIGHT, answered, notebook, task

ROOT = Path(__file__).parents[4]


class Mute:
    """A wall behind which nothing answers."""

    name, contained = "mute", True

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        return JudgeRun(self.answer, 1, stderr_tail="no room")

    def close(self) -> None:
        """Nothing is kept."""


class Refusing(Mute):
    """A wall that could be had once and no longer can."""

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        raise NoSandbox("bubblewrap does not start")


@pytest.mark.needs("bubblewrap")
def test_the_wall_found_here_is_a_real_one_and_grades() -> None:
    wall = find_backend(Settings(grader_python=sys.executable))
    assert (wall.name, wall.is_contained) == ("bubblewrap", True)
    run_canary(wall)


def _script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def test_without_a_wall_grading_is_plain_on_loopback_and_refused_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _script(tmp_path / "bwrap", "echo 'bwrap: No permissions to create new namespace' >&2", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    wall = find_backend(Settings(grader_python=sys.executable))
    assert (wall.name, wall.is_contained) == ("none", False)
    run_canary(wall)
    with pytest.raises(NoSandbox, match="No permissions") as refused:
        find_backend(Settings(grader_python=sys.executable, ip="0.0.0.0"))
    assert "Install bubblewrap" in refused.value.advice


def test_a_python_that_cannot_run_students_code_is_refused_on_loopback_too(tmp_path: Path) -> None:
    python = _script(tmp_path / "python", "exit 1")
    with pytest.raises(NoSandbox) as refused:
        find_backend(Settings(grader_python=str(python)))
    assert str(python) in refused.value.message and "PMH_GRADER_PYTHON" in refused.value.advice


def test_a_python_that_is_not_there_is_no_wall() -> None:
    with pytest.raises(NoSandbox):
        create_bubblewrap_backend("/nowhere/python")


def test_the_canary_passes_without_a_wall_too_and_refuses_a_wall_that_says_nothing() -> None:
    run_canary(UnsandboxedBackend())
    with pytest.raises(Unavailable) as refused:
        run_canary(Mute())
    assert "mute" in refused.value.message


@pytest.mark.parametrize("wall", [Mute(), Mute(b'{"event": "solved"}\n'), Refusing()])
def test_a_fault_of_ours_gives_no_points_and_says_so(wall: Mute) -> None:
    grading = grade(task(notebook(answered(RIGHT))), wall)
    assert grading.grader_error is not None
    assert {(verdict.outcome, verdict.millipoints) for verdict in grading.verdicts} == {(Outcome.GRADER_ERROR, 0)}


# Runs a command as nobody, for whom a Python below /root is moved within reach: in a mount namespace of its own.
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
from pmh_jupyter.grading.canary import canary
from pmh_jupyter.grading.backends import bubblewrap_wall
from tests.integration.grading.backends.test_containment import SURVIVE, _living, _reaches, COUNT
from pmh_jupyter.grading.task import Limits

assert os.getuid() == 65534
wall = bubblewrap_wall(sys.executable)
canary(wall)
assert not _reaches("reached = bool(open('/etc/passwd').read())", wall, {})
assert not _reaches("reached = bool(open('/proc/1/fd/1', 'w'))", wall, {})
limits = Limits(cell_seconds=3, submission_seconds=3, processes=30)
assert _reaches(COUNT, wall, {}, limits)
assert not _reaches(COUNT.replace(">= 25", ">= 30"), wall, {}, limits)
_reaches(SURVIVE.format(word="nobody-survivor"), wall, {}, limits)
assert _living("nobody-survivor") in ([], [os.getpid()])
print("held")
"""


@pytest.mark.needs("bubblewrap", "root")
def test_the_wall_holds_for_a_grader_that_is_not_root(tmp_path: Path) -> None:
    command = ["unshare", "--mount", "sh", "-c", AS_NOBODY, "sh", sys.base_prefix, sys.executable, "-c", NOBODY]
    environ = os.environ | {"KEEP": str(tmp_path / "keep"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environ, check=False)
    assert (done.stdout.strip().splitlines()[-1:], done.returncode) == (["held"], 0), done.stderr[-2000:]


GRADER = """
from pmh_jupyter.grading.grade import grade
from tests.support.grading.lesson import RIGHT, answered, bubblewrap, notebook, task

import threading

source = "import time\\ntime.sleep(60)"
print("begin", flush=True)
threading.Thread(target=grade, args=(task(notebook(answered(RIGHT | {"mean": source}))), bubblewrap()), daemon=True).start()
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
    """The processes below a grader, once a worker runs in the sandbox (bubblewrap, itself, setpriv's Python, the worker)."""
    while True:
        found = list(find_descendants(pid))
        if len(found) >= 3:
            return found


def _await_end(pid: int) -> None:
    """Returns when the process is gone; the suite's own time limit ends a wait that would be in vain."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([descriptor], [], [], 10)[0], f"process {pid} outlived its grader"
    os.close(descriptor)
