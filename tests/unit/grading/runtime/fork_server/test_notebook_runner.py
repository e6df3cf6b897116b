"""The notebook runner, with a judge that only records what it is asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pmh_jupyter.grading.runtime.fork_server.notebook_runner import NotebookRunner


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
