"""The grader looks for its wall once, and after a failure not at every job."""

from __future__ import annotations

import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from pmh_jupyter.service.jobs.grader import RETRY_INTERVAL_SECONDS, Grader


class Machine:
    """A machine whose wall comes and goes."""

    def __init__(self) -> None:
        self.wall: SandboxBackend | None = None
        self.looked = 0

    def find(self, _settings: Settings) -> SandboxBackend:
        self.looked += 1
        if self.wall is None:
            raise NoSandbox("none here", advice="install one")
        return self.wall


def test_a_wall_is_looked_for_seldom_and_found_when_it_comes() -> None:
    machine, now = Machine(), 0.0
    grader = Grader(Settings(), machine.find, lambda: now)
    for _ in range(3):
        with pytest.raises(NoSandbox, match="none here") as refused:
            grader.get_backend()
        assert refused.value.advice == "install one"
    assert machine.looked == 1
    machine.wall = UnsandboxedBackend()
    now = RETRY_INTERVAL_SECONDS
    assert grader.get_backend() is machine.wall
    assert grader.get_backend() is machine.wall
    assert machine.looked == 2


def test_the_canary_sings_or_says_why_not() -> None:
    machine = Machine()
    grader = Grader(Settings(), machine.find, lambda: 0.0)
    with pytest.raises(NoSandbox):
        grader.check_canary()


def test_what_is_kept_warm_is_ended_with_the_grader() -> None:
    class Warm(UnsandboxedBackend):
        closed = 0

        def close(self) -> None:
            self.closed += 1
            super().close()

    machine = Machine()
    machine.wall = warm = Warm()
    grader = Grader(Settings(), machine.find)
    grader.close()  # there is none yet
    grader.get_backend()
    grader.close()
    grader.close()
    assert warm.closed == 1
