"""One container in which one submission is graded: how it is made, spoken with, and ended."""

from __future__ import annotations

import os
import select
import shutil
import socket
import tempfile
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.errors import DockerException, NotFound
from docker.models.containers import Container as DockerContainer
from docker.types import Mount, Ulimit

from pmh_jupyter.errors import NoWall
from pmh_jupyter.grading.inside.sandbox.rooms import HOME, JUDGES
from pmh_jupyter.grading.task import Limits
from pmh_jupyter.grading.walls.base import COMPLAINT_BYTES, INSIDE, START_SECONDS, Ended, command, environment
from pmh_jupyter.grading.walls.zygotes import converse

LABEL = "pmh-grader"
OURS, CONTROL = "/pmh", "/pmh-control"
# What goes wrong before the zygote is there is heard, too. Standard error never makes it wait.
CALLS = f"""\
import os, socket
def call():
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    end.connect('{CONTROL}/socket')
    return end.detach()
errors = call()
os.set_blocking(errors, False)
os.dup2(errors, 2)
os.close(errors)
"""
# To be judge and student by turns, to watch them and to end them. Whatever runs a cell has none of these.
RIGHTS = ["SETUID", "SETGID", "SETPCAP", "KILL", "SYS_PTRACE"]
# What zygote, judge and their files take on top of the memory that a submission may use.
OWN_BYTES = 512 << 20
MOST_PROCESSES = 256
CPUS = 1.0
OPEN_FILES = 20_000
REMOVE_SECONDS = 30.0
PLACE_BYTES = Limits().file_bytes


@dataclass(frozen=True)
class Made:
    """What a container is made of. `image` is an id, `mounts` folders of this machine that are read-only in it."""

    image: str
    python: str
    mounts: tuple[str, ...]
    preload: tuple[str, ...]


class Container:
    """A container with a zygote that waits for its one submission. Raises NoWall when it does not come to life."""

    def __init__(self, client: DockerClient, made: Made) -> None:
        self.made = made
        self.memory = _memory(Limits())
        self._complaint = b""
        # The outer folder keeps out whoever is on this machine; the inner one is what the container sees.
        self._folder = tempfile.mkdtemp(prefix="pmh-control-")
        self._control: socket.socket | None = None
        self._errors: socket.socket | None = None
        self._container: DockerContainer | None = None
        try:
            with _listener(self._folder) as listener:
                self._container = client.containers.create(**_options(made, self._folder, self.memory))
                self._container.start()
                self._errors = self._accept(listener)
                self._control = self._accept(listener)
            self._await_word(self._control)
        except DockerException as error:
            self.close()
            raise NoWall(
                f"No container for grading can be started: {error}", advice="`docker info` says more."
            ) from error
        except OSError as error:
            self.close()
            raise NoWall(
                f"The container for grading does not start: {self.complaint() or error}",
                advice="The image needs Python 3.11 or newer with ipython and msgspec; see PMH_GRADER_IMAGE.",
            ) from error

    @property
    def id(self) -> str:
        """The engine's name of it."""
        return str(self._container.id) if self._container else ""

    def complaint(self) -> str:
        """What it said last on standard error, for the log."""
        with suppress(OSError):
            while self._errors and (data := self._errors.recv(1 << 16, socket.MSG_DONTWAIT)):
                self._complaint = (self._complaint + data)[-COMPLAINT_BYTES:]
        return self._complaint.decode("utf-8", "replace").strip()

    def lives(self) -> bool:
        """False once its zygote is gone."""
        return self._control is not None and not select.select([self._control], [], [], 0)[0]

    def allow(self, limits: Limits) -> None:
        """Sets what all processes together may use, where that is not what it was made with. Raises NoWall."""
        memory = _memory(limits)
        if self._container and memory != self.memory:
            try:
                self._container.update(mem_limit=memory, memswap_limit=memory)
            except DockerException as error:
                raise NoWall(f"The memory of a container cannot be limited: {error}") from error

    def run(self, bundle: bytes, seconds: float) -> Ended:
        """Its one grading; `seconds` is all the time it may take."""
        assert self._control
        ended = converse(self._control, bundle, seconds)
        return replace(ended, complaint=self.complaint())

    def close(self) -> None:
        """Ends it with all that runs in it; returns when it is gone."""
        for end in (self._control, self._errors):
            if end:
                end.close()
        if self._container:
            _remove(self._container)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self, listener: socket.socket) -> socket.socket:
        """The next that the container calls with; raises OSError."""
        deadline = time.monotonic() + START_SECONDS
        while not select.select([listener], [], [], 0.5)[0]:
            if time.monotonic() > deadline or self._has_ended():
                raise TimeoutError("it never called")
        return listener.accept()[0]

    def _await_word(self, control: socket.socket) -> None:
        """Until the zygote is ready; raises OSError."""
        control.settimeout(START_SECONDS)
        if control.recv(100) != b"ready":
            raise ConnectionError("it ended")
        control.settimeout(None)

    def _has_ended(self) -> bool:
        assert self._container
        try:
            self._container.reload()
        except NotFound:
            return True
        return str(self._container.status) in ("exited", "dead", "removing")


def sweep(client: DockerClient) -> None:
    """Removes what processes that are no more have left behind: containers that were made and never started, above all."""
    mine = _owner()
    with suppress(DockerException):
        for container in client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True):
            owner = str(container.labels.get(LABEL, ""))
            if owner != mine and not _owner_lives(owner):
                _remove(container)


def _options(made: Made, folder: str, memory: int) -> dict[str, Any]:
    """Everything that a container is given, and above all what it is not."""
    start = f"main(call(), {list(made.preload)!r}, [], walled=True, contained=True)"
    variables = environment(Path(made.python), HOME)
    if "/" not in made.python:
        del variables["PATH"]  # the image knows better
    place = f"rw,nosuid,nodev,mode=1777,size={PLACE_BYTES}"
    folders = {**{path: path for path in made.mounts}, str(INSIDE): f"{OURS}/inside", f"{folder}/open": CONTROL}
    return {
        "image": made.image,
        "name": f"pmh-grading-{uuid.uuid4().hex[:12]}",
        "command": command(made.python, Path(OURS), start, CALLS),
        "entrypoint": [],
        "environment": variables,
        "user": "0:0",
        "working_dir": "/",
        "labels": {LABEL: _owner()},
        "network_mode": "none",
        "ipc_mode": "private",
        "read_only": True,
        "tmpfs": {HOME: place, "/tmp": place, JUDGES: f"rw,nosuid,nodev,noexec,mode=755,size={PLACE_BYTES}"},
        "shm_size": PLACE_BYTES,
        "mounts": [Mount(target, source, type="bind", read_only=True) for source, target in folders.items()],
        "cap_drop": ["ALL"],
        "cap_add": RIGHTS,
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": memory,
        "memswap_limit": memory,  # no swap besides
        "pids_limit": MOST_PROCESSES,
        "nano_cpus": int(CPUS * 1e9),
        "ulimits": [Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES), Ulimit(name="core", soft=0, hard=0)],
        "auto_remove": True,
        "stdin_open": False,
        "detach": True,
    }


def _memory(limits: Limits) -> int:
    return limits.memory_bytes + OWN_BYTES


def _listener(folder: str) -> socket.socket:
    """Where the zygote will call; it has no right to look at what is not for everybody."""
    os.mkdir(f"{folder}/open")
    os.chmod(f"{folder}/open", 0o755)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"{folder}/open/socket")
    os.chmod(f"{folder}/open/socket", 0o666)
    listener.listen(1)
    return listener


def _remove(container: DockerContainer) -> None:
    """By force, and sees it gone: the engine may be at it already, since the container ends with its socket."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while time.monotonic() < deadline:
        with suppress(NotFound, DockerException):
            container.remove(force=True, v=True)
        try:
            container.reload()
        except DockerException:
            return
        time.sleep(0.02)


def _owner() -> str:
    """This process, by what no later one has in common with it."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{os.readlink('/proc/self/ns/pid')}/{os.getpid()}/{_started(os.getpid())}"


def _owner_lives(owner: str) -> bool:
    """False only where that is certain: another container's processes cannot be seen from here."""
    boot, _, rest = owner.partition("/")
    names, _, process = rest.partition("/")
    pid, _, started = process.partition("/")
    if boot != _owner().partition("/")[0]:
        return False
    if names != os.readlink("/proc/self/ns/pid") or not pid.isdecimal():
        return True
    return _started(int(pid)) == started


def _started(pid: int) -> str:
    """When a process began, in ticks since the machine did; "" for one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
