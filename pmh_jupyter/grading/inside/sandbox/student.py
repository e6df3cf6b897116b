"""The start of the student's process, and its checkpoints: frozen copies of it that sleep until one is needed."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from . import linux, rooms
from .board import Board

# Where the student's process has its two descriptors, besides 0 to 2.
LINK, WAKE = 3, 4
# Ends a process whose cell printed too much. It may be forged: that costs whoever forges it.
OUTPUT_EXIT = 113


@dataclass(frozen=True)
class Start:
    """What a student's process begins with. `limits` as in the bundle."""

    link: socket.socket
    wake: socket.socket
    board: Board
    room: rooms.Room
    owner: int
    limits: dict[str, Any]


def settle(start: Start) -> Checkpoints:
    """Puts this freshly forked process where it belongs: nothing of ours in reach, no rights, every limit set.

    From here on LINK is the socket to the judge.
    """
    _take_descriptors(start.link.detach(), start.wake.detach())
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if start.room.walled:
        rooms.become(start.owner)
        linux.set_process(linux.DUMPABLE, 1)
        os.mkdir(start.room.work, 0o755)
    linux.die_with_parent()
    os.chdir(start.room.work)
    rooms.limit(start.limits)
    if start.room.walled:
        linux.refuse_calls()
    return Checkpoints(start.board)


def _take_descriptors(link: int, wake: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    high = [os.dup2(descriptor, place) for descriptor, place in ((link, 100), (wake, 101))]
    for descriptor, place in zip(high, (LINK, WAKE), strict=True):
        os.dup2(descriptor, place, inheritable=False)
    linux.close_all_but(LINK, WAKE)


class Checkpoints:
    """Of all frozen copies only the last is kept."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.frozen = 0

    def take(self) -> bool:
        """Freezes a copy of this process. Returns False at once; and once more, True, in the copy when it is to go on, with the
        judge at the other end of LINK. Where no process can be had the last checkpoint is kept."""
        try:
            frozen = os.fork()
        except OSError:
            return False
        if frozen:
            self._keep(frozen)
            return False
        self._sleep()
        self.take()
        return True

    def _keep(self, frozen: int) -> None:
        last, self.frozen = self.frozen, frozen
        self.board.frozen = frozen
        if last:
            with suppress(OSError):
                os.kill(last, signal.SIGKILL)
                os.waitpid(last, 0)

    def _sleep(self) -> None:
        """Returns when the first process of the room wakes this one."""
        self.frozen = 0
        try:
            with socket.socket(fileno=os.dup(WAKE)) as wake:
                raw, descriptors, _, _ = socket.recv_fds(wake, 16, 1)
            if not raw:
                os._exit(0)
            os.dup2(descriptors[0], LINK, inheritable=False)
            os.close(descriptors[0])
            linux.die_with_parent()
        except (OSError, IndexError):
            os._exit(1)
