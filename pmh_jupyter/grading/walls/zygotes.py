"""Warm processes that gradings are forked from, as the host sees them: started when first needed, kept, replaced, ended.

A zygote is one sandbox that stays. It is replaced after a number of gradings, when it has grown, when it is gone, and when the
Python that it runs was changed on disk; nobody waits for one that nobody needs. None outlives this process.
"""

from __future__ import annotations

import json
import logging
import os
import select
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from pmh_jupyter.errors import NoWall
from pmh_jupyter.grading.walls.base import ANSWER_BYTES, COMPLAINT_BYTES, START_SECONDS, Ended

log = logging.getLogger(__name__)
IDLE_SECONDS = 300.0
MOST_JOBS = 1_000
# So long before its last grading the one that comes after it is started, and nobody has to wait for that.
JOBS_AHEAD = 50
NEXT = "next zygote"
LOOK_SECONDS = 15.0
END_SECONDS = 10.0
# A judge is ended by the zygote at the submission's deadline; past this much more the zygote itself is given up.
PATIENCE_SECONDS = 10.0
_LENGTH = struct.Struct("=Q")


@dataclass(frozen=True)
class Recipe:
    """How a zygote is started: `command` is given the descriptor of the socket it serves. `paths` are what it is made from."""

    command: Callable[[int], Sequence[str]]
    environ: Mapping[str, str]
    cwd: str | None = None
    paths: tuple[Path, ...] = ()
    advice: str = ""


@dataclass
class _Process:
    """What the keeper, a thread of its own, knows of the process that it started."""

    look: Callable[[], None]
    complaint: bytearray = field(default_factory=bytearray)
    started: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    error: OSError | None = None
    pid: int = 0


class Zygote:
    """One warm process, claimed by whoever makes it. Raises NoWall when it does not come to life. Safe to use from several threads."""

    def __init__(self, recipe: Recipe) -> None:
        self.made_of = _stamp(recipe.paths)
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.lock = threading.Lock()
        # A process that is forked from this one has zygotes of its own.
        self.owner = os.getpid()
        # Whoever makes it is the first who uses it.
        self.running = self.count = 1
        self.used = time.monotonic()
        self.retired = MOST_JOBS <= 1
        self.process = _Process(look=self._look)
        # The kernel ends the sandbox with the thread that started it: that must be one that stays.
        self.keeper = threading.Thread(target=_keep, args=(recipe, theirs, self.process), name="zygote", daemon=True)
        self.keeper.start()
        self.process.started.wait()
        if self.process.error or not self._hear(START_SECONDS):
            self.close()
            raise NoWall(f"The sandbox does not start: {self.complaint() or self.process.error}", advice=recipe.advice)

    def __del__(self) -> None:
        self.control.close()

    def complaint(self) -> str:
        """What it said last on standard error, for the log."""
        return bytes(self.process.complaint).decode("utf-8", "replace").strip()

    def claim(self) -> bool:
        """Takes it for one grading more; False when it is gone, or is to be replaced."""
        if os.getpid() != self.owner:
            return False
        with self.lock:
            while not self.retired and select.select([self.control], [], [], 0)[0]:
                self._hear(0)
            if self.retired or self.process.ended.is_set():
                return False
            self.retired = self.count + 1 >= MOST_JOBS
            self.running += 1
            self.count += 1
            return True

    def release(self) -> None:
        """What `claim` took. The last to leave one that is to be replaced ends it."""
        with self.lock:
            self.running -= 1
            self.used = time.monotonic()
            if self.retired and not self.running:
                self._let_go()

    def retire(self) -> None:
        """Nobody new takes it; it ends when those who use it have done."""
        with self.lock:
            self.retired = True
            if not self.running:
                self._let_go()

    def run(self, bundle: bytes, seconds: float, folder: str) -> Ended:
        """One grading; `seconds` is all the time it may take. The answer of a zygote that died is not complete."""
        ended = converse(self.control, bundle, seconds, folder)
        if ended.stopped in ("died", "deadline"):
            self.retired = True
        return replace(ended, complaint=self.complaint())

    def close(self) -> None:
        """Ends it, and whatever it is at; returns when it is gone."""
        with self.lock:
            self.retired = True
            self._let_go()
        if not self.process.ended.wait(END_SECONDS) and self.process.pid:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, 9)
        self.process.ended.wait(END_SECONDS)

    def _let_go(self) -> None:
        """It ends when it reads the end of this socket."""
        if os.getpid() == self.owner:
            with suppress(OSError):
                self.control.shutdown(socket.SHUT_RDWR)

    def _look(self) -> None:
        """From time to time: one that nobody has used for long goes."""
        if not self.running and time.monotonic() - self.used > IDLE_SECONDS:
            self.retire()

    def _hear(self, seconds: float) -> bool:
        """True when it said a word (that it is ready, or wants to be replaced) in so many seconds."""
        if not select.select([self.control], [], [], seconds)[0]:
            return False
        try:
            word = self.control.recv(100)
        except OSError:
            word = b""
        self.retired = self.retired or word != b"ready"
        return word == b"ready"


class Zygotes:
    """One zygote for each set of preloaded modules. Safe to use from several threads."""

    def __init__(self, recipe: Callable[[tuple[str, ...]], Recipe]) -> None:
        self._recipe = recipe
        self._lock = threading.Lock()
        self._starting: dict[tuple[str, ...], threading.Lock] = {}
        self._warm: dict[tuple[str, ...], Zygote] = {}
        self._next: dict[tuple[str, ...], Zygote] = {}
        self._leaving: list[Zygote] = []
        self._closed = 0

    def processes(self) -> list[int]:
        """The process of each zygote that may be used."""
        with self._lock:
            return [zygote.process.pid for zygote in self._warm.values()]

    def made_of(self, preload: tuple[str, ...]) -> str:
        """See `Wall.made_of`."""
        paths = self._recipe(preload).paths
        return repr([*map(str, paths), *_stamp(paths)])

    def run(self, bundle: bytes, seconds: float, preload: tuple[str, ...] = (), folder: str = "") -> Ended:
        """Runs a bundle; once more on a fresh zygote when the first one died over it. Raises NoWall."""
        ended = self._run(bundle, seconds, preload, folder)
        if ended.stopped == "died":
            log.warning("a zygote died and is replaced: %s", ended.complaint)
            ended = self._run(bundle, seconds, preload, folder)
        return ended

    def close(self) -> None:
        """Ends all of them."""
        with self._lock:
            zygotes = [*self._warm.values(), *self._next.values(), *self._leaving]
            self._warm, self._next, self._leaving = {}, {}, []
            self._closed += 1
        for zygote in zygotes:
            zygote.close()

    def _run(self, bundle: bytes, seconds: float, preload: tuple[str, ...], folder: str) -> Ended:
        zygote = self._take(preload)
        try:
            return zygote.run(bundle, seconds, folder)
        finally:
            zygote.release()

    def _take(self, preload: tuple[str, ...]) -> Zygote:
        """A zygote that lives, claimed. Two that ask at once wait for the same one."""
        with self._lock:
            starting = self._starting.setdefault(preload, threading.Lock())
        with starting:
            recipe = self._recipe(preload)
            with self._lock:
                zygote = self._warm.get(preload)
            if zygote and zygote.made_of == _stamp(recipe.paths) and zygote.claim():
                if zygote.count == MOST_JOBS - JOBS_AHEAD:
                    ahead = (preload, recipe, self._closed)
                    threading.Thread(target=self._start_next, args=ahead, name=NEXT, daemon=True).start()
                return zygote
            fresh = self._take_next(preload, recipe) or Zygote(recipe)
            with self._lock:
                self._warm[preload] = fresh
                self._leaving = [other for other in self._leaving if not other.process.ended.is_set()]
                self._leaving += [zygote] if zygote else []
            if zygote:
                zygote.retire()
            return fresh

    def _start_next(self, preload: tuple[str, ...], recipe: Recipe, closed: int) -> None:
        """One that nobody uses yet, unless all are ended meanwhile."""
        with suppress(NoWall):  # whoever needs one will be told
            coming = Zygote(recipe)
            coming.count = 0
            coming.release()
            with self._lock:
                wanted = self._closed == closed
                if wanted:
                    self._next[preload] = coming
            if not wanted:
                coming.close()

    def _take_next(self, preload: tuple[str, ...], recipe: Recipe) -> Zygote | None:
        """The one that was started ahead, claimed, if it lives and nothing has changed since."""
        with self._lock:
            coming = self._next.pop(preload, None)
        if coming and coming.made_of == _stamp(recipe.paths) and coming.claim():
            return coming
        if coming:
            coming.retire()
        return None


def converse(control: socket.socket, bundle: bytes, seconds: float, folder: str = "") -> Ended:
    """Has the zygote at the other end of a socket do one grading, and hears it out. `folder`: see `inside.sandbox.rooms.Room.home`."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            order = json.dumps({"seconds": seconds, "folder": folder}).encode()
            try:
                socket.send_fds(control, [order], [theirs.fileno()])
            except OSError:
                return Ended(b"", 1, "died")
        talk = _Conversation(ours, bundle)
        stopped = talk.hold(time.monotonic() + seconds + PATIENCE_SECONDS)
    answer = bytes(talk.answer)
    if not stopped and not _is_told(answer):
        stopped = "died"
    return Ended(answer[:ANSWER_BYTES], int(bool(stopped)), stopped)


def _keep(recipe: Recipe, control: socket.socket, process: _Process) -> None:
    """Starts the process and stays until it has ended."""
    try:
        with control, _start(recipe, control) as started:
            process.pid = started.pid
            control.close()
            process.started.set()
            assert started.stderr
            while True:
                if not select.select([started.stderr], [], [], LOOK_SECONDS)[0]:
                    process.look()
                    continue
                data = os.read(started.stderr.fileno(), 1 << 12)
                if not data:
                    break
                process.complaint += data
                del process.complaint[:-COMPLAINT_BYTES]
    except OSError as error:
        process.error = error
    finally:
        process.ended.set()
        process.started.set()


def _start(recipe: Recipe, control: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        recipe.command(control.fileno()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=dict(recipe.environ),
        cwd=recipe.cwd,
        pass_fds=(control.fileno(),),
        start_new_session=True,
    )


def _stamp(paths: tuple[Path, ...]) -> tuple[int, ...]:
    """Changes when a package is installed into, or taken from, what a zygote is made of."""
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def _is_told(answer: bytes) -> bool:
    """True when an answer was told to its end, or why it was not."""
    last = answer.rstrip(b"\n").rpartition(b"\n")[2]
    return any(last.startswith(b'{"event": "%s"' % word) for word in (b"end", b"lost", b"fault"))


class _Conversation:
    """Sends the bundle and reads the answer at once, so that neither side waits for the other for ever."""

    def __init__(self, job: socket.socket, bundle: bytes) -> None:
        self.job = job
        self.rest = memoryview(_LENGTH.pack(len(bundle)) + bundle)
        self.answer = bytearray()

    def hold(self, deadline: float) -> str:
        """Until the other side has closed: ""; "flood" for too long an answer, "deadline" when the time is up."""
        self.job.setblocking(False)
        poll = select.poll()
        poll.register(self.job, select.POLLIN | select.POLLOUT)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return "deadline"
            for _, bits in poll.poll(left * 1000 + 1):
                if bits & select.POLLOUT and not self._write():
                    poll.modify(self.job, select.POLLIN)
                if bits & ~select.POLLOUT and not self._read():
                    return ""
            if len(self.answer) > ANSWER_BYTES:
                return "flood"

    def _write(self) -> bool:
        """False when there is nothing more to send."""
        with suppress(BlockingIOError):
            try:
                self.rest = self.rest[self.job.send(self.rest) :]
            except (BrokenPipeError, ConnectionResetError):
                self.rest = self.rest[:0]
        return bool(self.rest)

    def _read(self) -> bool:
        try:
            data = self.job.recv(1 << 16)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        self.answer += data
        return bool(data)
