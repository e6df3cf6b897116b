"""The time limit of a test cell, which calls between test and notebook extend."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from pmh_jupyter.grading.runtime.separate_process.cells.test_environment import enforce_deadline
from pmh_jupyter.grading.runtime.separate_process.peers.peer import TimeLimitReached
from pmh_jupyter.grading.runtime.transport.framing import Link

HOUR = 3600.0


@pytest.fixture
def link() -> Iterator[Link]:
    own_end, other_end = socket.socketpair()
    with closing(Link(own_end)) as link, other_end:
        link.deadline = time.monotonic() + HOUR
        yield link
    signal.setitimer(signal.ITIMER_PROF, 0)


def test_deadline_is_extended_up_to_the_latest_one(link: Link) -> None:
    assert link.deadline is not None
    link.extend_deadline(1)
    first = link.deadline
    link.latest_deadline = first + 1.5
    link.extend_deadline(1)
    link.extend_deadline(1)
    assert link.deadline == first + 1.5


def test_alarm_before_the_deadline_does_not_end_the_test(link: Link) -> None:
    with enforce_deadline(link):
        os.kill(os.getpid(), signal.SIGALRM)


def test_alarm_at_the_deadline_ends_the_test(link: Link) -> None:
    with pytest.raises(TimeLimitReached), enforce_deadline(link):
        link.deadline = time.monotonic()
        os.kill(os.getpid(), signal.SIGALRM)
