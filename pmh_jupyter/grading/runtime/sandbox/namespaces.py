"""The environment of a submission's processes: what they can see and write, their uid, and their resource limits.

In a bubblewrap sandbox, each submission has separate namespaces within those of the sandbox: processes, mounts, shared memory, network,
host name. A container cannot create namespaces, but runs only one submission, and the judge has another uid. Without a sandbox, only the
resource limits apply.
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
from pmh_jupyter.grading.runtime.sandbox.control_group import ControlGroup

STUDENT_HOME = "/home/student"
JUDGE_HOMES = "/judge"
WRITABLE_FOLDERS = (STUDENT_HOME, "/tmp", "/dev/shm")
MAX_FILES = 20_000
# Of a student process. The kernel counts the descriptors that a user's processes have sent and nobody has received, and compares the
# number with the limit of the process that sends: judge and init keep a higher limit, so that they can always send.
MAX_DESCRIPTORS = 512
# The kernel counts pseudoterminals for the whole machine (4,096), and inotify instances for each user (128).
MAX_TERMINALS = 16
MAX_INOTIFY_INSTANCES = 8
STUDENT_UID = 1000


@dataclass(frozen=True)
class SandboxEnvironment:
    """Where the processes of one submission run.

    is_sandboxed: in a sandbox. Otherwise `home` is a folder that the host has created for the submission.
    preserved_paths: paths below the folders that are mounted anew, which must stay reachable.
    is_containerized: the sandbox is a container that was created for this submission alone.
    group: the control group that the student process joins.
    """

    is_sandboxed: bool
    home: str = STUDENT_HOME
    preserved_paths: tuple[str, ...] = ()
    is_containerized: bool = False
    group: ControlGroup = ControlGroup()

    @property
    def has_namespaces(self) -> bool:
        """True if the submission has separate namespaces."""
        return self.is_sandboxed and not self.is_containerized

    @property
    def work_folder(self) -> str:
        return f"{self.home}/work"

    @property
    def shared_folders(self) -> dict[str, str]:
        """Folders that judge and student process have separately, and whose files tests and notebook share.

        Without a sandbox, both use the same folders. In a container, each has temporary files that the other cannot read.
        """
        work = {"work": self.work_folder} if self.is_sandboxed else {}
        return work | {"temporary": "/tmp"} if self.has_namespaces else work


def is_root() -> bool:
    """Return whether this process can change its uid. In a sandbox that an unprivileged user started, uid 0 cannot."""
    return os.geteuid() == 0 and _count_uids() > 1


def pick_unused_uid() -> int:
    """Return a random uid from the upper half of the range, which no user and no other submission has."""
    half_count = _count_uids() // 2
    return half_count + int.from_bytes(os.urandom(4), "big") % (half_count - 1)


@cache
def _count_uids() -> int:
    """Return the number of uids from 0 on that are mapped in this user namespace."""
    with open("/proc/self/uid_map") as file:
        rows = [[int(word) for word in line.split()] for line in file]
    return min(max((count for first, _, count in rows if first == 0), default=1), 1 << 31)


def create_namespaces() -> None:
    """Create the namespaces of a submission. Called by the first process of its sandbox."""
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWIPC | linux.CLONE_NEWNET | linux.CLONE_NEWUTS)
    linux.mount("proc", "/proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    if os.path.isdir("/dev/pts"):
        options = f"newinstance,ptmxmode=0666,mode=620,max={MAX_TERMINALS}"
        linux.mount("devpts", "/dev/pts", linux.MS_NOSUID | linux.MS_NOEXEC, options)
    linux.bring_up_loopback()


def raise_descriptor_limit() -> None:
    """Raise the limit on open files of this process and its children as far as it is allowed to."""
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


def mount_writable_folders(
    environment: SandboxEnvironment, uid: int, file_bytes: int, *, is_remount: bool = False
) -> None:
    """Mount empty writable folders of `file_bytes` each. `is_remount`: unmounts the present ones first, with their contents."""
    if is_remount:
        for folder in WRITABLE_FOLDERS:
            linux.unmount(folder)
    # Opened before the new mounts hide them.
    preserved_descriptors = {path: os.open(path, os.O_PATH) for path in environment.preserved_paths}
    options = f"size={file_bytes},nr_inodes={MAX_FILES},uid={uid},gid={uid},mode="
    for folder in WRITABLE_FOLDERS:
        linux.mount(
            "tmpfs", folder, linux.MS_NOSUID | linux.MS_NODEV, options + ("755" if folder == STUDENT_HOME else "1777")
        )
    for path, descriptor in preserved_descriptors.items():
        linux.bind_mount(descriptor, path)
        os.close(descriptor)


def create_judge_home(uid: int) -> str:
    """In a container: creates a folder for the judge that the student's processes can neither read nor write.

    The capability to change a folder's owner is not available. The folder is therefore writable for the judge's group.
    """
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.umask(0o007)
    os.mkdir(f"{JUDGE_HOMES}/{uid}", 0o770)
    os.umask(0o077)
    return f"{JUDGE_HOMES}/{uid}"


def clear_writable_folders(uid: int) -> None:
    """In a container: deletes the files of the student's processes, as their uid, because only the owner may delete them."""
    _run_as(uid, _empty_writable_folders)


def kill_processes_of(uid: int) -> None:
    """In a container: kills all of the student's processes at once."""
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
    """Drop all privileges: as root, by changing to `uid`; otherwise, by entering a new user namespace.

    The kernel (5.14 and newer) counts the processes of a user namespace separately, for RLIMIT_NPROC. Its inotify instances count for the
    user outside as well, so the namespace gets a limit of its own.
    """
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
        with suppress(OSError):  # read-only for the judge, which runs the author's code
            _write_file("/proc/sys/user/max_inotify_instances", str(MAX_INOTIFY_INSTANCES))
        linux.drop_bounding_set()
    linux.drop_capabilities()


def set_resource_limits(limits: dict[str, Any], *, max_descriptors: int | None = None) -> None:
    """Set the limits that the kernel enforces. A limit of None is not set. Memory is limited in addition to what is in use now.

    `reserves_address_space` in `limits`: the program reserves far more address space than it uses, so only writable memory is limited.
    """
    memory = resource.RLIMIT_DATA if limits.get("reserves_address_space") else resource.RLIMIT_AS
    for kind, amount in (
        (memory, limits["memory_bytes"] + linux.get_address_space_bytes()),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, max_descriptors),
    ):
        if amount is None:
            continue
        hard = resource.getrlimit(kind)[1]
        bound = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(kind, (bound, bound))


def _write_file(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
