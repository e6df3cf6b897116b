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

from pmh_jupyter.grading.runtime.sandbox import linux

STUDENT_HOME = "/home/student"
JUDGE_HOMES = "/judge"
WRITABLE_FOLDERS = (STUDENT_HOME, "/tmp", "/dev/shm")
MAX_FILES = 20_000
MAX_DESCRIPTORS = 512
STUDENT_UID = 1000


@dataclass(frozen=True)
class SandboxEnvironment:
    """Where the processes of one submission live. `walled`: behind a wall; else `home` is a folder that somebody made for it.
    `contained`: the wall is a container, made for this submission alone.

    `kept` are paths below the folders that are made new, which stay within reach.
    """

    is_sandboxed: bool
    home: str = STUDENT_HOME
    preserved_paths: tuple[str, ...] = ()
    is_containerized: bool = False

    @property
    def has_namespaces(self) -> bool:
        """True where the submission has namespaces of its own."""
        return self.is_sandboxed and not self.is_containerized

    @property
    def work_folder(self) -> str:
        return f"{self.home}/work"

    @property
    def shared_folders(self) -> dict[str, str]:
        """Folders that judge and student have each for themselves, and whose files tests and notebook share. Without a wall both
        have the same; in a container each has temporary files where the other cannot look."""
        work = {"work": self.work_folder} if self.is_sandboxed else {}
        return work | {"temporary": "/tmp"} if self.has_namespaces else work


def is_root() -> bool:
    """True where this process may take on other identities: not so for a plain user's, though it is number 0 behind a wall."""
    return os.geteuid() == 0 and _count_uids() > 1


def pick_unused_uid() -> int:
    """An identity that nobody has, and no other submission: out of the upper half of those that there are."""
    half_count = _count_uids() // 2
    return half_count + int.from_bytes(os.urandom(4), "big") % (half_count - 1)


@cache
def _count_uids() -> int:
    """How many there are from 0 on."""
    with open("/proc/self/uid_map") as file:
        rows = [[int(word) for word in line.split()] for line in file]
    return min(max((count for first, _, count in rows if first == 0), default=1), 1 << 31)


def create_namespaces() -> None:
    """What only the first process of a room can do, before any limit is known."""
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWIPC | linux.CLONE_NEWNET | linux.CLONE_NEWUTS)
    linux.mount("proc", "/proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    linux.bring_up_loopback()


def mount_writable_folders(
    environment: SandboxEnvironment, uid: int, file_bytes: int, *, is_remount: bool = False
) -> None:
    """Empty folders to write in, each of limited size; `again`: those that were there go, with what is in them."""
    if is_remount:
        for folder in WRITABLE_FOLDERS:
            linux.unmount(folder)
    preserved = {
        path: os.open(path, os.O_PATH) for path in environment.preserved_paths
    }  # where they lie below all that is made new
    options = f"size={file_bytes},nr_inodes={MAX_FILES},uid={uid},gid={uid},mode="
    for folder in WRITABLE_FOLDERS:
        linux.mount(
            "tmpfs", folder, linux.MS_NOSUID | linux.MS_NODEV, options + ("755" if folder == STUDENT_HOME else "1777")
        )
    for path, descriptor in preserved.items():
        linux.bind_mount(descriptor, path)
        os.close(descriptor)


def create_judge_home(uid: int) -> str:
    """In a container: a folder for the judge that the student's processes can neither look into nor write to. Root's right to hand
    folders over is not needed, and not there: the judge's group may write to it."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.umask(0o007)
    os.mkdir(f"{JUDGE_HOMES}/{uid}", 0o770)
    os.umask(0o077)
    return f"{JUDGE_HOMES}/{uid}"


def clear_writable_folders(uid: int) -> None:
    """In a container: what the student's processes wrote goes. Only its owner may take it away."""
    _run_as(uid, _empty_writable_folders)


def kill_processes_of(uid: int) -> None:
    """In a container: all processes of the student's at once."""
    _run_as(uid, lambda: os.kill(-1, signal.SIGKILL))


def _empty_writable_folders() -> None:
    for folder in WRITABLE_FOLDERS:
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    os.unlink(path)


def _run_as(uid: int, action: Callable[[], None]) -> None:
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            action()
        os._exit(0)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def drop_privileges(uid: int) -> None:
    """Gives up every right there is. For root by another identity; else within a user namespace of its own, in which the kernel
    (5.14 and newer) counts processes apart."""
    if is_root():
        os.setgroups([])
        linux.drop_bounding_set()
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    else:
        user, group = os.geteuid(), os.getegid()
        linux.prctl(linux.PR_SET_DUMPABLE, 1)
        linux.unshare(linux.CLONE_NEWUSER)
        _write_file("/proc/self/setgroups", "deny")
        _write_file("/proc/self/uid_map", f"{STUDENT_UID} {user} 1")
        _write_file("/proc/self/gid_map", f"{STUDENT_UID} {group} 1")
        linux.drop_bounding_set()
    linux.drop_capabilities()


def set_resource_limits(limits: dict[str, Any]) -> None:
    """What the kernel enforces without our help. No amount means no limit. Memory is what may be added to what is taken already.

    `reserves_address_space`: a program that takes far more addresses than memory, so that only what it can write to is counted.
    """
    memory = resource.RLIMIT_DATA if limits.get("reserves_address_space") else resource.RLIMIT_AS
    for kind, amount in (
        (memory, limits["memory_bytes"] + linux.get_address_space_bytes()),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, MAX_DESCRIPTORS),
    ):
        if amount is None:
            continue
        hard = resource.getrlimit(kind)[1]
        bound = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(kind, (bound, bound))


def _write_file(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
