"""No wall at all: for tests, and for a hub on loopback where none can be had. Whoever is graded can read and do what we can.

Time, memory, file size and output are limited all the same, since the supervisor sees to them; processes that detach themselves
are found by the supervisor, unless they kill it first.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pmh_jupyter.grading.task import Limits
from pmh_jupyter.grading.walls.base import (
    GRACE_SECONDS,
    INSIDE,
    START_SECONDS,
    Ended,
    environment,
    program,
    run_command,
)


class NoContainment:
    """Runs students' code as a plain process of ours, in a temporary folder."""

    name = "none"
    contained = False

    def __init__(self, python: Path | None = None) -> None:
        self.python = python or Path(sys.executable)

    def run(self, bundle: bytes, limits: Limits) -> Ended:
        """See `Wall.run`."""
        with tempfile.TemporaryDirectory(prefix="pmh-grading-", ignore_cleanup_errors=True) as folder:
            work = Path(folder) / "work"
            work.mkdir()
            return run_command(
                program(self.python, INSIDE.parent),
                bundle,
                seconds=limits.submission_seconds + GRACE_SECONDS,
                start_seconds=START_SECONDS,
                environ=environment(self.python, folder),
                cwd=str(work),
            )
