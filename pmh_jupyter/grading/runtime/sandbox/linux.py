"""Functions of the Linux kernel that Python does not offer: namespaces, mounts, capabilities, seccomp, processes in /proc.

The numbers are from linux/sched.h, sys/mount.h, linux/prctl.h, linux/capability.h and linux/seccomp.h. Every function raises OSError.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from pmh_jupyter.grading.runtime.sandbox.seccomp import build_system_call_filter

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = (
    0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MNT_DETACH = 2
MS_BIND, MS_REC = 0x1000, 0x4000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = (
    1,
    4,
    22,
    24,
    36,
    38,
)
SECCOMP_MODE_FILTER = 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1

_libc = ctypes.CDLL(None, use_errno=True)
_prctl = _libc.prctl
_prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong]


def _check_result(result: int, operation: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{operation}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Move this process into new namespaces. A new pid namespace takes effect for its next child."""
    _check_result(_libc.unshare(flags), "unshare")


@contextmanager
def fork_into_new_pid_namespace(is_enabled: bool = True) -> Iterator[None]:
    """Make a child that is forked in this context the first process of a new pid namespace.

    The old namespace is restored afterwards: a process between two pid namespaces cannot start threads.
    """
    if not is_enabled:
        yield
        return
    own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY)
    unshare(CLONE_NEWPID)
    try:
        yield
    finally:
        _check_result(_libc.setns(own_namespace, CLONE_NEWPID), "setns")
        os.close(own_namespace)


def mount(filesystem: str, target: str, flags: int, options: str = "") -> None:
    """Mount a new file system of a type (such as "tmpfs") at `target`."""
    result = _libc.mount(
        filesystem.encode(), target.encode(), filesystem.encode(), ctypes.c_ulong(flags), options.encode() or None
    )
    _check_result(result, f"mount {target}")


def bind_mount(descriptor: int, target: str) -> None:
    """Mount the open file or folder at `target`, which is created."""
    is_folder = os.path.isdir(f"/proc/self/fd/{descriptor}")
    os.makedirs(target if is_folder else os.path.dirname(target), exist_ok=True)
    if not is_folder:
        open(target, "x").close()
    source = f"/proc/self/fd/{descriptor}".encode()
    _check_result(_libc.mount(source, target.encode(), None, ctypes.c_ulong(MS_BIND | MS_REC), None), f"bind {target}")


def unmount(target: str) -> None:
    """Unmount the topmost file system at `target`, even if files in it are open."""
    _check_result(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def prctl(option: int, value: int) -> None:
    """Call prctl with one argument."""
    _check_result(_prctl(option, value, 0, 0, 0), f"prctl {option}")


def die_with_parent() -> None:
    """Make the kernel kill this process when the thread that forked it ends. A change of uid or gid resets this."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def drop_bounding_set() -> None:
    """Prevent programs started later from gaining capabilities. Needs a capability itself: call it before `drop_capabilities`."""
    capability = 0
    while _prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1


def drop_capabilities() -> None:
    """Drop all capabilities, permanently."""
    header = struct.pack("=Ii", LINUX_CAPABILITY_VERSION_3, 0)
    _check_result(_libc.capset(header, bytes(24)), "capset")
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def install_seccomp_filter() -> None:
    """Install the filter of `seccomp` for this process and its children. `drop_capabilities` must be called first."""
    if not _FILTER:
        return
    code = ctypes.create_string_buffer(_FILTER, len(_FILTER))
    program = struct.pack("HxxxxxxP", len(_FILTER) // 8, ctypes.addressof(code))
    buffer = ctypes.create_string_buffer(program, len(program))
    _check_result(_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(buffer), 0, 0), "seccomp")


_FILTER = build_system_call_filter(platform.machine())


def bring_up_loopback() -> None:
    """Bring up 127.0.0.1 in a new network namespace, where it is down at first."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))


def close_descriptors_except(*preserved_descriptors: int) -> None:
    """Close every descriptor from 3 on, except the preserved ones."""
    first = 3
    for descriptor in sorted(set(preserved_descriptors)):
        os.closerange(first, descriptor)
        first = max(first, descriptor + 1)
    os.closerange(first, 1 << 20)


def list_processes() -> Iterator[int]:
    """Yield the pids of all visible processes."""
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())


def find_descendants(ancestor: int) -> Iterator[int]:
    """Yield the pids of all descendants of a process."""
    parents: dict[int, int] = {}
    for pid in list_processes():
        parents[pid] = get_parent_pid(pid)
    level = {ancestor}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level}
        yield from level


def get_parent_pid(pid: int) -> int:
    """Return the pid of the parent; 0 for a process that is gone."""
    return _read_process_number(pid, "stat", ")", 1, default=0)


def get_owner_uid(pid: int) -> int:
    """Return the uid of a process; -1 if it is gone."""
    return _read_process_number(pid, "status", "\nUid:", 0, default=-1)


def get_resident_bytes(pid: int) -> int:
    """Return memory in use, with a proportional share of pages that processes share (PSS); 0 for a process that is gone."""
    return _read_process_number(pid, "smaps_rollup", "\nPss:", 0, default=0) * 1024


def _read_process_number(pid: int, file_name: str, marker: str, index: int, *, default: int) -> int:
    """Return the word at this index behind the last marker in a file of /proc; the default for a process that is gone."""
    try:
        with open(f"/proc/{pid}/{file_name}") as file:
            return int(file.read().rpartition(marker)[2].split()[index])
    except (OSError, ValueError, IndexError):
        return default


def get_address_space_bytes() -> int:
    """Return the size of the address space of this process, which is what RLIMIT_AS limits."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[0]) * os.sysconf("SC_PAGESIZE")


def get_signal_name(number: int) -> str:
    """Return the name of a signal. Of the real-time signals, only the first and the last have one."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
