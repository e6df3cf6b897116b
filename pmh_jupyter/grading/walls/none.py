"""No wall at all: for tests, and for a hub on loopback where none can be had. Whoever is graded can read and do what we can.

Time, memory, file size and output are limited all the same; processes that detach themselves are found and ended, unless they kill
first what looks for them.
"""

from __future__ import annotations

import os
import sys
import tempfile
import weakref
from pathlib import Path

from pmh_jupyter.grading.task import Limits
from pmh_jupyter.grading.walls.base import GRACE_SECONDS, INSIDE, Ended, environment, program
from pmh_jupyter.grading.walls.zygotes import Recipe, Zygotes


class NoContainment:
    """Runs students' code as plain processes of ours, in a temporary folder."""

    name = "none"
    contained = False

    def __init__(self, python: Path | None = None) -> None:
        self.python = python or Path(sys.executable)
        home = tempfile.TemporaryDirectory(prefix="pmh-zygote-", ignore_cleanup_errors=True)
        self.zygotes = Zygotes(_Recipes(self.python, home.name))
        weakref.finalize(self, _clear, self.zygotes, home)

    def run(self, bundle: bytes, limits: Limits, preload: tuple[str, ...] = ()) -> Ended:
        """See `Wall.run`."""
        with tempfile.TemporaryDirectory(prefix="pmh-grading-", ignore_cleanup_errors=True) as folder:
            os.mkdir(f"{folder}/work")
            return self.zygotes.run(bundle, limits.submission_seconds + GRACE_SECONDS, preload, folder)

    def made_of(self, preload: tuple[str, ...] = ()) -> str:
        """See `Wall.made_of`."""
        return self.zygotes.made_of(preload)

    def close(self) -> None:
        """See `Wall.close`."""
        self.zygotes.close()


class _Recipes:
    """Apart from the wall, which would otherwise never be let go of."""

    def __init__(self, python: Path, home: str) -> None:
        self.python, self.home = python, home

    def __call__(self, preload: tuple[str, ...]) -> Recipe:
        return Recipe(
            command=lambda control: program(self.python, INSIDE.parent, control, preload, None),
            environ=environment(self.python, self.home),
            cwd=self.home,
            paths=(self.python,),
        )


def _clear(zygotes: Zygotes, home: tempfile.TemporaryDirectory[str]) -> None:
    zygotes.close()
    home.cleanup()
