"""What a sandbox withholds from a submission: each probe succeeds without a sandbox, and fails in the real one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from tests.support.grading.concurrent_probe import find_each_other, start_children
from tests.support.grading.containment import PROBES, SURVIVE, probe_succeeds
from tests.support.grading.lesson import start_bubblewrap_backend
from tests.support.processes import find_processes, kill_processes

pytestmark = pytest.mark.needs("bubblewrap")


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.stem)
def test_probe_reaches_nothing_in_the_sandbox(probe: Path, target: dict[str, Any]) -> None:
    code = probe.read_text()
    assert probe_succeeds(code, UnsandboxedBackend(), target), "the probe itself does not work"
    assert not probe_succeeds(code, start_bubblewrap_backend(), target)


def test_no_process_of_a_submission_outlives_it() -> None:
    for backend, survives in ((UnsandboxedBackend(), True), (start_bubblewrap_backend(), False)):
        word = f"survivor-{backend.name}-{os.getpid()}"
        probe_succeeds(SURVIVE.format(word=word), backend, {})
        survivors = find_processes(word)
        kill_processes(survivors)
        assert bool(survivors) is survives


def test_concurrent_submissions_share_neither_files_nor_sockets() -> None:
    assert find_each_other(UnsandboxedBackend()) == [{"abstract socket", "port", "/tmp", "/dev/shm"}] * 2
    assert find_each_other(start_bubblewrap_backend()) == [set(), set()]


def test_processes_are_counted_per_grading() -> None:
    assert all(
        25 <= count < 30 for count in start_children(start_bubblewrap_backend(), 25, submissions=2, processes=30)
    )
