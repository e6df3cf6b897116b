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

from pmh_jupyter.grading.backends.backend import (
    GRACE_SECONDS,
    RUNTIME_FOLDER,
    JudgeRun,
    fork_server_command,
    sandbox_environment,
)
from pmh_jupyter.grading.backends.fork_servers import ForkServerPool, ForkServerSpec
from pmh_jupyter.grading.task import EffectiveLimits


class UnsandboxedBackend:
    """Runs students' code as plain processes of ours, in a temporary folder."""

    name = "none"
    is_contained = False

    def __init__(self, python: Path | None = None) -> None:
        self.python = python or Path(sys.executable)
        home = tempfile.TemporaryDirectory(prefix="pmh-zygote-", ignore_cleanup_errors=True)
        self.fork_servers = ForkServerPool(_SpecFactory(self.python, home.name))
        weakref.finalize(self, _clean_up, self.fork_servers, home)

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        """See `Wall.run`."""
        with tempfile.TemporaryDirectory(prefix="pmh-grading-", ignore_cleanup_errors=True) as folder:
            os.mkdir(f"{folder}/work")
            return self.fork_servers.run(bundle, limits.submission_seconds + GRACE_SECONDS, preload, folder)

    def fingerprint(self, preload: tuple[str, ...] = ()) -> str:
        """See `Wall.made_of`."""
        return self.fork_servers.fingerprint(preload)

    def close(self) -> None:
        """See `Wall.close`."""
        self.fork_servers.close()


class _SpecFactory:
    """Apart from the wall, which would otherwise never be let go of."""

    def __init__(self, python: Path, home: str) -> None:
        self.python, self.home = python, home

    def __call__(self, preload: tuple[str, ...]) -> ForkServerSpec:
        return ForkServerSpec(
            command=lambda control: fork_server_command(self.python, RUNTIME_FOLDER.parent, control, preload, None),
            environment=sandbox_environment(self.python, self.home),
            cwd=self.home,
            watched_paths=(self.python,),
        )


def _clean_up(fork_servers: ForkServerPool, home: tempfile.TemporaryDirectory[str]) -> None:
    fork_servers.close()
    home.cleanup()
