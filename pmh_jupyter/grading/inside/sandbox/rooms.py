"""The rooms of a submission: what its processes can see and write, who they are, and how much they may use.

Behind a wall a submission has namespaces of its own below the wall's: processes, mounts, shared memory, network, names. In a
container none can be made: there it has the container for itself, and its judge is another identity in it. Without a wall only the
limits hold.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from . import linux

HOME = "/home/student"
JUDGES = "/judge"
PLACES = (HOME, "/tmp", "/dev/shm")
MOST_FILES = 20_000
MOST_DESCRIPTORS = 512
STUDENT = 1000


@dataclass(frozen=True)
class Room:
    """Where the processes of one submission live. `walled`: behind a wall; else `home` is a folder that somebody made for it.
    `contained`: the wall is a container, made for this submission alone.

    `kept` are paths below the folders that are made new, which stay within reach.
    """

    walled: bool
    home: str = HOME
    kept: tuple[str, ...] = ()
    contained: bool = False

    @property
    def namespaces(self) -> bool:
        """True where the submission has namespaces of its own."""
        return self.walled and not self.contained

    @property
    def work(self) -> str:
        return f"{self.home}/work"

    @property
    def places(self) -> dict[str, str]:
        """Folders that judge and student have each for themselves, and whose files tests and notebook share. Without a wall both
        have the same; in a container each has temporary files where the other cannot look."""
        work = {"work": self.work} if self.walled else {}
        return work | {"temporary": "/tmp"} if self.namespaces else work


def is_root() -> bool:
    """True where this process may take on other identities: not so for a plain user's, though it is number 0 behind a wall."""
    return os.geteuid() == 0 and _identities() > 1


def stranger() -> int:
    """An identity that nobody has, and no other submission: out of the upper half of those that there are."""
    half = _identities() // 2
    return half + int.from_bytes(os.urandom(4), "big") % (half - 1)


@cache
def _identities() -> int:
    """How many there are from 0 on."""
    with open("/proc/self/uid_map") as file:
        rows = [[int(word) for word in line.split()] for line in file]
    return min(max((count for first, _, count in rows if first == 0), default=1), 1 << 31)


def shut_in() -> None:
    """What only the first process of a room can do, before any limit is known."""
    linux.unshare(linux.NEW_MOUNTS | linux.NEW_IPC | linux.NEW_NETWORK | linux.NEW_NAMES)
    linux.mount("proc", "/proc", linux.NO_SUID | linux.NO_DEVICES | linux.NO_PROGRAMS)
    linux.loopback_up()


def furnish(room: Room, owner: int, file_bytes: int, *, again: bool = False) -> None:
    """Empty folders to write in, each of limited size; `again`: those that were there go, with what is in them."""
    if again:
        for place in PLACES:
            linux.unmount(place)
    kept = {path: os.open(path, os.O_PATH) for path in room.kept}  # where they lie below all that is made new
    options = f"size={file_bytes},nr_inodes={MOST_FILES},uid={owner},gid={owner},mode="
    for place in PLACES:
        linux.mount("tmpfs", place, linux.NO_SUID | linux.NO_DEVICES, options + ("755" if place == HOME else "1777"))
    for path, descriptor in kept.items():
        linux.bind(descriptor, path)
        os.close(descriptor)


def judges_home(identity: int) -> str:
    """In a container: a folder for the judge that the student's processes can neither look into nor write to. Root's right to hand
    folders over is not needed, and not there: the judge's group may write to it."""
    os.setgroups([])
    os.setresgid(identity, identity, identity)
    os.umask(0o007)
    os.mkdir(f"{JUDGES}/{identity}", 0o770)
    os.umask(0o077)
    return f"{JUDGES}/{identity}"


def clear(owner: int) -> None:
    """In a container: what the student's processes wrote goes. Only its owner may take it away."""
    _as_owner(owner, _empty)


def kill_all(owner: int) -> None:
    """In a container: all processes of the student's at once."""
    _as_owner(owner, lambda: os.kill(-1, signal.SIGKILL))


def _empty() -> None:
    for place in PLACES:
        for name in os.listdir(place):
            path = os.path.join(place, name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    os.unlink(path)


def _as_owner(owner: int, do: Callable[[], None]) -> None:
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            os.setgroups([])
            os.setresgid(owner, owner, owner)
            os.setresuid(owner, owner, owner)
            do()
        os._exit(0)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def become(identity: int) -> None:
    """Gives up every right there is. For root by another identity; else within a user namespace of its own, in which the kernel
    (5.14 and newer) counts processes apart."""
    if is_root():
        os.setgroups([])
        linux.give_up_bounds()
        os.setresgid(identity, identity, identity)
        os.setresuid(identity, identity, identity)
    else:
        user, group = os.geteuid(), os.getegid()
        linux.set_process(linux.DUMPABLE, 1)
        linux.unshare(linux.NEW_USER)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{STUDENT} {user} 1")
        _write("/proc/self/gid_map", f"{STUDENT} {group} 1")
        linux.give_up_bounds()
    linux.give_up_capabilities()


def limit(limits: dict[str, Any]) -> None:
    """What the kernel enforces without our help. No amount means no limit. Memory is what may be added to what is taken already.

    `reserves`: a program that takes far more addresses than memory, so that only what it can write to is counted.
    """
    memory = resource.RLIMIT_DATA if limits.get("reserves") else resource.RLIMIT_AS
    for kind, amount in (
        (memory, limits["memory_bytes"] + linux.address_bytes()),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, MOST_DESCRIPTORS),
    ):
        if amount is None:
            continue
        hard = resource.getrlimit(kind)[1]
        bound = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(kind, (bound, bound))


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
