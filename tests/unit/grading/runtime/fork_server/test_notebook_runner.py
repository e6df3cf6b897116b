"""The notebook runner, with a judge that only records what it is asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pmh_jupyter.grading.runtime.fork_server.notebook_runner import NotebookRunner
from pmh_jupyter.grading.runtime.transport.framing import PeerLost


def test_cells_are_run_again_even_if_the_time_of_the_submission_is_long_over() -> None:
    """The remaining limit is then zero instead of a negative number, which a timer would refuse."""
    replayed: list[Any] = []
    anything: Any = SimpleNamespace(prepare_replay=lambda: None, replay_cell=replayed.append)
    cell: Any = {"cell": 0}
    bundle: Any = {
        "limits": {"submission_seconds": -60.0, "cell_seconds": 10.0},
        "isolation": None,
        "kernel": "",
    }
    runner = NotebookRunner(bundle, anything, anything)
    runner.judge = runner.link = anything
    assert runner._replay([cell])
    assert replayed == [cell]


class _LostLink:
    """A link whose other side is gone."""

    deadline: float | None = None

    def send(self, message: object) -> None:
        raise PeerLost("closed", "")

    receive = send


class _SandboxWithoutProcesses:
    """A sandbox in which every process is lost at its start."""

    group = SimpleNamespace(count_memory_kills=lambda: 0)

    def spawn(self, limits: object) -> Any:
        return _LostLink()

    def restore(self) -> None:
        return None

    def explain_loss(self, lost: PeerLost) -> tuple[str, str]:
        return "signal", "SIGKILL"


def test_process_that_is_lost_at_its_start_is_a_result() -> None:
    """Not an error of the grader: the cells say how the process ended."""
    cells: list[Any] = [
        {"cell": number, "kind": "student", "source": "", "grade_id": None, "compiled": ""} for number in range(2)
    ]
    bundle: Any = {
        "limits": {"submission_seconds": 60.0, "cell_seconds": 10.0, "memory_bytes": 1, "file_bytes": 1},
        "isolation": None,
        "kernel": "",
        "is_recording": False,
        "cells": cells,
        "files": [],
        "release_paths": [],
        "seed": 1,
    }
    events: list[tuple[str, Any]] = []
    writer: Any = SimpleNamespace(write=lambda event, **fields: events.append((event, fields.get("cause"))))
    sandbox: Any = _SandboxWithoutProcesses()
    NotebookRunner(bundle, sandbox, writer).run()
    assert [event for event in events if event[0] != "cell-started"] == [("cell-finished", "signal")] * 2 + [
        ("end", None)
    ]
