"""A submission's room as the judge sees it: a student's process to talk to, the reason why one was lost, another one instead."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from ..apart.frames import Link, Lost
from . import linux, rooms
from .init import serve
from .student import Start

MOST_BYTES = 64 << 20
# How long the first process of a room may take for an order: it kills, and it mounts.
ORDER_SECONDS = 10.0
# From the end of a student's process to the word of it.
WORD_SECONDS = 2.0


class RoomLost(Exception):
    """The first process of the room is gone or does not answer: nothing more can be run in it."""


class Sandbox:
    """Made before the judge knows anything that a student must not: the room begins as a copy of this process."""

    def __init__(self, room: rooms.Room, live: Callable[[Start], NoReturn]) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with linux.children_elsewhere(room.namespaces):
            self.pid = os.fork()
            if self.pid == 0:
                self.control.detach()
                serve(theirs, room, live)
        theirs.close()
        self.link: Link | None = None
        self.number = 0
        self.ending: Lost | None = None

    def spawn(self, limits: dict[str, Any]) -> Link:
        """A new student's process, in an empty room; raises RoomLost."""
        link = self._order("spawn", limits)
        if link is None:
            raise RoomLost("no process")
        return link

    def restore(self) -> Link | None:
        """The last checkpoint goes on; None when there is none, or it is gone. Raises RoomLost."""
        return self._order("restore", None)

    def cause(self, lost: Lost) -> tuple[str, str]:
        """Why a student's process was lost, after a link's `Lost`: cause and detail as an event has them; raises RoomLost."""
        if lost.cause == "gone" and self.ending is None:
            deadline = time.monotonic() + WORD_SECONDS
            with suppress(Lost):
                while self._wait(deadline):
                    self._hear()
        said = self.ending or lost
        return ("answer", "") if said.cause == "gone" else (said.cause, said.detail[:400])

    def end(self) -> None:
        """Ends the room with all that is in it; returns when it is gone."""
        self.control.close()
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _order(self, what: str, limits: dict[str, Any] | None) -> Link | None:
        if self.link:
            self.link.close()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self.control, [json.dumps({"do": what, "limits": limits}).encode()], [theirs.fileno()])
            except OSError as error:
                raise RoomLost(str(error)) from error
        if not self._done(what):
            ours.close()
            return None
        self.ending = None
        self.link = Link(ours, MOST_BYTES)
        self.link.watch(self.control.fileno(), self._hear)
        return self.link

    def _done(self, what: str) -> bool:
        deadline = time.monotonic() + ORDER_SECONDS
        while self._wait(deadline):
            said = self._read()
            if said.get("did") == what:
                self.number = said["number"]
                return bool(said["done"])
        raise RoomLost(f"{what}: no answer")

    def _hear(self) -> None:
        """What the first process tells by itself: the end of the student's. Raises Lost with its cause."""
        said = self._read()
        if said.get("number") == self.number and "cause" in said:
            self.ending = Lost(said["cause"], said["detail"])
            raise self.ending

    def _read(self) -> dict[str, Any]:
        try:
            raw = self.control.recv(1 << 16)
        except OSError as error:
            raise RoomLost(str(error)) from error
        if not raw:
            raise RoomLost("ended")
        said: dict[str, Any] = json.loads(raw)
        return said

    def _wait(self, deadline: float) -> bool:
        left = deadline - time.monotonic()
        return left > 0 and bool(select.select([self.control], [], [], left)[0])
