"""The first process of a submission's room. It starts the student's process, tells how that ended, and brings back the last
checkpoint; when it ends, the kernel ends everything in the room.

It takes orders from the judge alone, over a socket that nobody else has: `spawn` (a new student's process) and `restore` (the last
checkpoint goes on), each with the socket on which that process is to be reached. It answers each with `did`, and tells `died` when
the student's process has ended or used too much. Every message carries the number of the student's process it is about.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NoReturn

from . import linux, rooms
from .board import Board
from .fit import MEMORY_EXIT, SPENT_EXIT
from .student import OUTPUT_EXIT, Start

TICK = 0.2
# What Python itself takes on top of the memory that a submission may use.
SLACK_BYTES = 32 << 20
KILL_SECONDS = 2.0
# What exit codes of our own say.
CAUSES = {OUTPUT_EXIT: "output", MEMORY_EXIT: "memory", SPENT_EXIT: "spent"}


def serve(control: socket.socket, room: rooms.Room, live: Callable[[Start], NoReturn]) -> NoReturn:
    """Serves the judge until it is gone. `live` is what a new student's process does; it never returns."""
    linux.set_process(linux.DUMPABLE, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    linux.close_all_but(control.fileno())
    if room.namespaces:
        linux.die_with_parent()
        rooms.shut_in()
    else:
        # Nobody would end what it leaves behind, so it may not die at once: it sees the judge's socket closed.
        linux.set_process(linux.SUBREAPER, 1)
    init = _Init(control, room, live)
    init.serve()
    if not room.namespaces:
        init.kill_all()
    # Else the kernel ends everything in the room with this process, and lets nobody know of its end before.
    os._exit(0)


class _Init:
    """`live` is the student's process, `number` counts them; `watched` can be polled for its end."""

    def __init__(self, control: socket.socket, room: rooms.Room, start: Callable[[Start], NoReturn]) -> None:
        self.control, self.room, self.start = control, room, start
        self.board = Board()
        self.owner = rooms.stranger() if rooms.is_root() else os.geteuid()
        self.wake, self.wake_student = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)
        self.limits: dict[str, Any] = {}
        self.live = self.number = 0
        self.watched = -1
        self.looked = time.monotonic()

    def serve(self) -> None:
        while True:
            # One event a round: an order may put another process, and its descriptor, in the place of the one that has ended.
            ready = [descriptor for descriptor, _ in self.poll.poll(TICK * 1000)]
            if self.watched in ready:
                self._ended()
            elif ready and not self._obey():
                return
            if time.monotonic() - self.looked > TICK:
                self._look()

    def _obey(self) -> bool:
        """One order; False when the judge is gone."""
        raw, descriptors, _, _ = socket.recv_fds(self.control, 1 << 16, 1)
        if not raw:
            return False
        order = json.loads(raw)
        with socket.socket(fileno=descriptors[0]) as link:
            done = self._spawn(order["limits"], link) if order["do"] == "spawn" else self._restore(link)
        self._tell(did=order["do"], done=done)
        return True

    def _spawn(self, limits: dict[str, Any], link: socket.socket) -> bool:
        if self.number:
            self.kill_all()
        if self.room.namespaces:
            rooms.furnish(self.room, self.owner, limits["file_bytes"], again=bool(self.number))
        elif self.room.contained and self.number:
            rooms.clear(self.owner)
        self.limits = limits
        self.board.frozen = 0
        pid = os.fork()
        if pid == 0:
            self.start(Start(link, self.wake_student, self.board, self.room, self.owner, limits))
        self._watch(pid)
        return True

    def _restore(self, link: socket.socket) -> bool:
        frozen = self.board.frozen
        if frozen in (0, 1, self.live) or not self.kill_all(but=frozen):
            return False
        self.board.frozen = 0
        try:
            os.kill(frozen, 0)
            socket.send_fds(self.wake, [b"wake"], [link.fileno()])
            self._watch(frozen)
        except OSError:
            return False
        return True

    def _watch(self, pid: int) -> None:
        self._forget()
        self.live = pid
        self.number += 1
        self.watched = os.pidfd_open(pid)
        self.poll.register(self.watched, select.POLLIN)
        self.looked = time.monotonic()

    def _forget(self) -> None:
        if self.watched >= 0:
            self.poll.unregister(self.watched)
            os.close(self.watched)
            self.watched = -1

    def _ended(self) -> None:
        """The student's process is no more."""
        self._forget()
        cause, detail = "signal", "SIGKILL"
        with suppress(ChildProcessError):
            _, status = os.waitpid(self.live, 0)
            code = os.waitstatus_to_exitcode(status)
            cause, detail = ("exit", str(code)) if code >= 0 else ("signal", signal.Signals(-code).name)
            if code in CAUSES:
                cause, detail = CAUSES[code], ""
        self._tell(cause=cause, detail=detail)

    def _look(self) -> None:
        """What a student's processes left behind is reaped, for it counts as running; and memory is added up."""
        self.looked = time.monotonic()
        for pid in self._others():
            if pid != self.live:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
        if (
            self.watched >= 0
            and sum(map(linux.resident_bytes, self._others())) > self.limits["memory_bytes"] + SLACK_BYTES
        ):
            self._forget()
            os.kill(self.live, signal.SIGKILL)
            self._tell(cause="memory", detail="")

    def _tell(self, **fields: Any) -> None:
        with suppress(OSError):
            self.control.send(json.dumps(fields | {"number": self.number}).encode())

    def _others(self) -> Iterator[int]:
        if self.room.contained:
            return (pid for pid in linux.processes() if linux.owner_of(pid) == self.owner)
        if self.room.walled:
            return (pid for pid in linux.processes() if pid != 1)
        return linux.descendants(os.getpid())

    def kill_all(self, *, but: int = 0) -> bool:
        """Kills every process of the room but this one and `but`; True when they are gone."""
        deadline = time.monotonic() + KILL_SECONDS
        while time.monotonic() < deadline:
            if self.room.contained and not but:
                rooms.kill_all(self.owner)
            elif self.room.walled and not but:
                with suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
            left = [pid for pid in self._others() if pid != but]
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            left = [pid for pid in left if not _reaped(pid)]
            if not left and all(pid == but for pid in self._others()):
                return True
            if left:
                time.sleep(0.0005)
        return False


def _reaped(pid: int) -> bool:
    """True when a process that was killed is gone; one that is no child of ours yet will be, once its parent is gone."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False
