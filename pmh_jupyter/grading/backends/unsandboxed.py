"""A backend without a sandbox, for tests, and for a hub on loopback if no sandbox is available.

A submission has the same access to the machine as this process. Time, memory, file size and output are still limited. Detached processes
are found and ended, unless they first kill the process that searches for them.
"""

from __future__ import annotations

import os
import sys
import tempfile
import weakref
from functools import partial
from pathlib import Path

from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.grading.backends.backend import (
    GRACE_SECONDS,
    PACKAGE_FOLDER,
    JudgeRun,
    build_fork_server_command,
    build_sandbox_environment,
)
from pmh_jupyter.grading.backends.control_groups import ALL_CONTROLLERS
from pmh_jupyter.grading.backends.fork_servers import ForkServerPool, ForkServerSpec
from pmh_jupyter.grading.compiled_cell_cache import CompiledCellCache


class UnsandboxedBackend:
    """Runs students' code as ordinary processes of this user, in a temporary folder."""

    name = "none"
    is_contained = False

    def __init__(self, python: Path | None = None) -> None:
        self.python = python or Path(sys.executable)
        self.compiled_cells = CompiledCellCache()
        home = tempfile.TemporaryDirectory(prefix="pmh-fork-server-", ignore_cleanup_errors=True)
        self.fork_servers = ForkServerPool(partial(_make_spec, self.python, home.name))
        weakref.finalize(self, _clean_up, self.fork_servers, home)

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        """See `SandboxBackend.run`."""
        with tempfile.TemporaryDirectory(prefix="pmh-grading-", ignore_cleanup_errors=True) as folder:
            os.mkdir(f"{folder}/work")
            return self.fork_servers.run(bundle, limits.submission_seconds + GRACE_SECONDS, preload, folder)

    def fingerprint(self, preload: tuple[str, ...] = ()) -> str:
        """See `SandboxBackend.fingerprint`."""
        return self.fork_servers.fingerprint(preload)

    def list_missing_controllers(self) -> list[str]:
        """See `SandboxBackend.list_missing_controllers`."""
        return list(ALL_CONTROLLERS)

    def close(self) -> None:
        """See `SandboxBackend.close`."""
        self.fork_servers.close()


def _make_spec(python: Path, home: str, preload: tuple[str, ...]) -> ForkServerSpec:
    """Return the spec of a fork server. Not a method of the backend, which could then never be garbage-collected."""
    return ForkServerSpec(
        command=lambda control: build_fork_server_command(python, PACKAGE_FOLDER, control, preload, None),
        environment=build_sandbox_environment(python, home),
        cwd=home,
        watched_paths=(python,),
    )


def _clean_up(fork_servers: ForkServerPool, home: tempfile.TemporaryDirectory[str]) -> None:
    fork_servers.close()
    home.cleanup()
