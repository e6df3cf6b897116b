"""The process that every grading is forked from: everything is imported in it once, and no student's code ever runs in it.

It serves the host over one socket: each job comes as a message with a socket of its own, on which the judge then speaks to the host.
For each it forks a judge, sees to the judge's deadline, and keeps the job's socket open until the judge and the submission's room
are gone: when the host reads the end, nothing of the submission is left.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import msgspec

from .harden import Pristine
from .kernel_side import NoKernel
from .life import Warm, live, seed
from .notebook import Answers, Notebook
from .sandbox import linux, rooms
from .sandbox.handle import RoomLost, Sandbox
from .shell import make_shell
from .warm import warm

LOOK_JOBS = 64
GROWTH_BYTES = 128 << 20
_PAIR = struct.Struct("=ii")
_LENGTH = struct.Struct("=Q")


def main(control: int, preload: list[str], kept: list[str], *, walled: bool, contained: bool = False) -> None:
    """Serves the host until it closes `control`. `preload`: modules to import, of which none need be there. The others: see `Room`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    linux.set_process(linux.DUMPABLE, 0)
    shell = make_shell()
    for module in preload:
        with suppress(ImportError):
            importlib.import_module(module)
    warm(shell)
    parts = Warm(shell, Pristine(preload))
    # What is there now is shared by all children: the collector must not touch it, or each would get a copy.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=control) as host:
        host.send(b"ready")
        Zygote(host, parts, rooms.Room(walled, kept=tuple(kept), contained=contained)).serve()
    os._exit(0)


@dataclass
class Job:
    """One grading under way. `room` is the first process of its sandbox, once it is known; descriptors can be polled for ends."""

    socket: socket.socket
    judge: int
    watch: int
    deadline: float
    core: int
    room: int = 0
    room_watch: int = -1
    gone: str | None = None


class Zygote:
    """`host`: the socket on which jobs come."""

    def __init__(self, host: socket.socket, warm: Warm, room: rooms.Room) -> None:
        self.host, self.warm, self.room = host, warm, room
        self.jobs: dict[int, Job] = {}
        self.count = 0
        self.size = _memory()
        self.reader, self.writer = os.pipe()
        self.poll = select.poll()
        self.poll.register(host, select.POLLIN)
        self.poll.register(self.reader, select.POLLIN)

    def serve(self) -> None:
        """Until the host is gone."""
        while True:
            for descriptor, _ in self.poll.poll(self._patience()):
                if descriptor == self.host.fileno():
                    if not self._accept():
                        return
                elif descriptor == self.reader:
                    self._learn_rooms()
                else:
                    self._ended(descriptor)
            self._enforce()

    def _patience(self) -> float | None:
        """Milliseconds until the next deadline."""
        if not self.jobs:
            return None
        return max(0.0, min(job.deadline for job in self.jobs.values()) - time.monotonic()) * 1000 + 1

    def _accept(self) -> bool:
        raw, descriptors, _, _ = socket.recv_fds(self.host, 1 << 16, 1)
        if not raw:
            return False
        order = json.loads(raw)
        job_socket = socket.socket(fileno=descriptors[0])
        core = self._free_core()
        try:
            pid = os.fork()
        except OSError as error:
            _say(job_socket, "fault", detail=str(error))
            job_socket.close()
            return True
        if pid == 0:
            self._judge(job_socket, order["folder"], core)
        watch = os.pidfd_open(pid)
        self.jobs[watch] = Job(job_socket, pid, watch, time.monotonic() + order["seconds"], core)
        self.poll.register(watch, select.POLLIN)
        self.count += 1
        if self.count % LOOK_JOBS == 0 and _memory() > self.size + GROWTH_BYTES:
            self.host.send(b"retire")
        return True

    def _free_core(self) -> int:
        """The core that the next submission runs on, with the fewest of them now. Judge and student take turns, and on one core neither
        has to be woken on another; and nobody takes more of this machine than others do."""
        taken = [job.core for job in self.jobs.values()]
        cores = sorted(os.sched_getaffinity(0), key=lambda core: (taken.count(core), os.urandom(2)))
        return cores[0]

    def _judge(self, job: socket.socket, folder: str, core: int) -> NoReturn:
        code = 1
        try:
            linux.die_with_parent()
            os.sched_setaffinity(0, {core})
            linux.close_all_but(job.fileno(), self.writer)
            room = replace(self.room, home=folder) if folder else self.room
            run_job(job, room, self.warm, self.writer)
            code = 0
        except BaseException as error:  # noqa: BLE001 - whatever it is, this process must end here
            sys.stderr = sys.__stderr__
            sys.excepthook(*sys.exc_info())
            _say(job, "fault", detail=f"{type(error).__name__}: {error}"[:2000])
        finally:
            os._exit(code)

    def _learn_rooms(self) -> None:
        """Which room belongs to which judge: should the judge die, it is ours to end."""
        for judge_pid, room in _PAIR.iter_unpack(os.read(self.reader, _PAIR.size * 64)):
            for job in self.jobs.values():
                if job.judge == judge_pid:
                    with suppress(ProcessLookupError):
                        job.room, job.room_watch = room, os.pidfd_open(room)

    def _ended(self, watch: int) -> None:
        """A judge is gone, or the room of one that died."""
        job = self.jobs.get(watch) or next(job for job in self.jobs.values() if job.room_watch == watch)
        self.poll.unregister(watch)
        if watch == job.watch:
            job.gone = _reap(job.judge)
            self._learn_now()
            if job.gone != "0" and job.room_watch >= 0:
                if self.room.namespaces:
                    _kill(job.room)
                self.poll.register(job.room_watch, select.POLLIN)
                return
        elif job.room:
            _reap(job.room)
        self._finish(job)

    def _learn_now(self) -> None:
        if select.select([self.reader], [], [], 0)[0]:
            self._learn_rooms()

    def _finish(self, job: Job) -> None:
        if job.gone != "0":
            _say(job.socket, "lost", detail=job.gone)
        job.socket.close()
        for descriptor in (job.watch, job.room_watch):
            if descriptor >= 0:
                os.close(descriptor)
        del self.jobs[job.watch]

    def _enforce(self) -> None:
        now = time.monotonic()
        for job in self.jobs.values():
            if job.deadline <= now:
                _kill(job.judge)
                if job.gone is not None:
                    _kill(job.room)
                job.deadline = now + 1.0


def run_job(job: socket.socket, room: rooms.Room, warm: Warm, reports: int) -> None:
    """The judge's whole life: the room is forked first, and only then is the bundle read."""
    sandbox = Sandbox(room, lambda start: live(start, warm))
    os.write(reports, _PAIR.pack(os.getpid(), sandbox.pid))
    os.close(reports)
    answers = Answers(job)
    try:
        bundle = _read_bundle(job)
        places = _settle(room, bundle)
        Notebook(bundle, sandbox, answers, places).run()
    except NoKernel as missing:
        answers.say("fault", detail=str(missing))
    except RoomLost as lost:
        answers.say("lost", detail=f"the room: {lost}")
    finally:
        sandbox.end()


def _settle(room: rooms.Room, bundle: dict[str, Any]) -> dict[str, str]:
    """The judge runs the author's code, which may need a place to write, and no rights at all. Where it shares files (see `Room`)."""
    apart = (bundle.get("judging") or {}).get("way") == "apart"
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(1, "w", closefd=False)
    if room.walled:
        identity = rooms.stranger() if rooms.is_root() else os.geteuid()
        if room.contained:
            home = rooms.judges_home(identity)
            room = replace(room, home=home)
            os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = home
        elif apart:
            linux.unshare(linux.NEW_MOUNTS)
            rooms.furnish(room, identity, bundle["limits"]["file_bytes"])
        rooms.become(identity)
        linux.refuse_calls()
        linux.die_with_parent()
        if apart:
            os.mkdir(room.work)
            os.chdir(room.work)
    else:
        os.chdir(room.work)
    rooms.limit(bundle["limits"] | {"processes": None})
    seed(bundle["seed"], numpy=False)
    return room.places


def _read_bundle(job: socket.socket) -> Any:
    with job.makefile("rb") as file:
        (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
        raw = file.read(length)
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:  # half a character in a cell, which only the library reads
        return json.loads(raw)


def _say(job: socket.socket, event: str, **fields: Any) -> None:
    """Said on a new line: a judge may have died in the middle of one."""
    with suppress(OSError):
        job.setblocking(False)
        job.send(b"\n" + json.dumps({"event": event} | fields).encode() + b"\n")


def _reap(pid: int) -> str:
    """How a child ended: its exit code, or the name of the signal."""
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return "gone"
    return str(code) if code >= 0 else signal.Signals(-code).name


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _memory() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")
