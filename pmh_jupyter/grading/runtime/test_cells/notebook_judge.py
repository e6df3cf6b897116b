"""The interface of the judge of one notebook, which both isolations implement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, cast

from pmh_jupyter.grading.runtime.transport.bundle import BundleCell
from pmh_jupyter.grading.runtime.transport.framing import Link
from pmh_jupyter.grading.runtime.transport.result_fields import CellFields, ErrorFields, TestCellFields


class NotebookJudge(ABC):
    """Runs the cells of a notebook. Every method raises `PeerLost` if the student process is lost.

    - At the start: `await_start`, after the start message has been sent.
    - For each cell: the `run_` method of its kind.
    - After a loss: `reconnect` with another student process; `await_start`, unless it continues from a checkpoint; `prepare_replay`; and
      `replay_cell` for each cell whose effects it lacks.
    """

    @property
    def is_student_lost(self) -> bool:
        """Whether the connection is unusable although the last cell has results, because its time ran out in the middle of a message."""
        return False

    @abstractmethod
    def reconnect(self, link: Link) -> None:
        """Continue with another student process."""

    def await_start(self) -> None:
        """Wait until the student process is ready to receive the files of the work folder."""
        return None

    @abstractmethod
    def checkpoint(self) -> None:
        """Make the student process freeze a copy of itself."""

    @abstractmethod
    def run_student_cell(self, number: int, source: str) -> ErrorFields | None:
        """Run a cell of the student. Returns the error that it raised (see `describe_cell_error`), or None."""

    @abstractmethod
    def run_locked_cell(self, number: int, source: str) -> ErrorFields | None:
        """Run a locked cell of the release. Returns the error that it raised, or None."""

    @abstractmethod
    def run_test_cell(self, number: int, grade_id: str, source: str, packed_cell: str = "") -> TestCellFields:
        """Run a test cell. Its tests are described in `StatementRunner`.

        packed_cell: the cell from the host's cache (see `compiled_cell.pack_cell`), for a judge that compiles cells.
        """

    @abstractmethod
    def build_usage(self) -> dict[str, Any]:
        """Return the usage of the test cells so far (see `TestUsage.as_dict`)."""

    def run_cell(self, cell: BundleCell) -> CellFields:
        """Run a cell. Returns the fields of its `CellResult` that depend on its kind."""
        number, source = cell["cell"], cell["source"]
        if cell["kind"] == "test":
            fields = self.run_test_cell(number, cell["grade_id"] or "", source, cell["compiled"])
            return cast(CellFields, fields)  # a part of them
        run_cell = self.run_locked_cell if cell["kind"] == "locked" else self.run_student_cell
        return {"error": run_cell(number, source)}

    def prepare_replay(self) -> None:
        """Prepare another student process for `replay_cell`."""
        return None

    def replay_cell(self, cell: BundleCell) -> None:
        """Run a cell again, for its effects only."""
        self.run_cell(cell)
