"""What the kernel offers and Python has no name for: namespaces, mounts, capabilities, filters of calls, processes in /proc.

Numbers from linux/sched.h, sys/mount.h, linux/prctl.h, linux/capability.h, linux/seccomp.h. Every function raises OSError.
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

from .seccomp import system_call_filter

NEW_MOUNTS, NEW_NAMES, NEW_IPC, NEW_USER, NEW_PROCESSES, NEW_NETWORK = (
    0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
NO_SUID, NO_DEVICES, NO_PROGRAMS = 2, 4, 8
DETACH = 2
BIND, WITH_ALL_BELOW = 0x1000, 0x4000
PARENT_DEATH, DUMPABLE, SECCOMP, DROP_BOUND, SUBREAPER, NO_NEW_PRIVILEGES = 1, 4, 22, 24, 36, 38
SECCOMP_FILTER = 2
CAPABILITY_VERSION = 0x20080522
SET_FLAGS, FLAGS_UP = 0x8914, 0x1

_libc = ctypes.CDLL(None, use_errno=True)
_prctl = _libc.prctl
_prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong]


def _done(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """New namespaces for this process; of processes, for its next children."""
    _done(_libc.unshare(flags), "unshare")


@contextmanager
def children_elsewhere(wanted: bool = True) -> Iterator[None]:
    """The child that is forked meanwhile is the first process of a new namespace. Before and after it there may be threads."""
    if not wanted:
        yield
        return
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    unshare(NEW_PROCESSES)
    try:
        yield
    finally:
        _done(_libc.setns(own, NEW_PROCESSES), "setns")
        os.close(own)


def mount(kind: str, place: str, flags: int, options: str = "") -> None:
    """A new file system of a kind at a place."""
    result = _libc.mount(kind.encode(), place.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode() or None)
    _done(result, f"mount {place}")


def bind(descriptor: int, place: str) -> None:
    """What a descriptor was opened for is to be found at a place, which is made."""
    folder = os.path.isdir(f"/proc/self/fd/{descriptor}")
    os.makedirs(place if folder else os.path.dirname(place), exist_ok=True)
    if not folder:
        open(place, "x").close()
    source = f"/proc/self/fd/{descriptor}".encode()
    _done(_libc.mount(source, place.encode(), None, ctypes.c_ulong(BIND | WITH_ALL_BELOW), None), f"bind {place}")


def unmount(place: str) -> None:
    """Takes the topmost file system at a place away, though files in it may be open."""
    _done(_libc.umount2(place.encode(), DETACH), f"umount {place}")


def set_process(option: int, value: int) -> None:
    """prctl with one value."""
    _done(_prctl(option, value, 0, 0, 0), f"prctl {option}")


def die_with_parent() -> None:
    """The kernel kills this process when the thread that forked it ends. Forgotten at every change of identity."""
    set_process(PARENT_DEATH, signal.SIGKILL)


def give_up_bounds() -> None:
    """No program that is started can have a capability again. Takes one itself, so it comes before the next function."""
    number = 0
    while _prctl(DROP_BOUND, number, 0, 0, 0) == 0:
        number += 1


def give_up_capabilities() -> None:
    """All of them, for ever."""
    header = struct.pack("=Ii", CAPABILITY_VERSION, 0)
    _done(_libc.capset(header, bytes(24)), "capset")
    set_process(NO_NEW_PRIVILEGES, 1)


def refuse_calls() -> None:
    """From here on this process and its children are refused the calls of `seccomp`. Needs `give_up_capabilities` first."""
    if not _FILTER:
        return
    code = ctypes.create_string_buffer(_FILTER, len(_FILTER))
    program = struct.pack("HxxxxxxP", len(_FILTER) // 8, ctypes.addressof(code))
    buffer = ctypes.create_string_buffer(program, len(program))
    _done(_prctl(SECCOMP, SECCOMP_FILTER, ctypes.addressof(buffer), 0, 0), "seccomp")


_FILTER = system_call_filter(platform.machine())


def loopback_up() -> None:
    """A new network namespace has its own 127.0.0.1, which is down."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh22x", b"lo", FLAGS_UP))


def close_all_but(*kept: int) -> None:
    """Closes every descriptor from 3 on that is not among those kept."""
    first = 3
    for descriptor in sorted(set(kept)):
        os.closerange(first, descriptor)
        first = max(first, descriptor + 1)
    os.closerange(first, 1 << 20)


def processes() -> Iterator[int]:
    """Every process that can be seen."""
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())


def descendants(ancestor: int) -> Iterator[int]:
    """Every process below `ancestor`."""
    parents: dict[int, int] = {}
    for pid in processes():
        parents[pid] = parent_of(pid)
    level = {ancestor}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level}
        yield from level


def parent_of(pid: int) -> int:
    """0 for a process that is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def owner_of(pid: int) -> int:
    """Whose process it is; -1 for one that is gone."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return int(status.read().partition("\nUid:")[2].split()[0])
    except (OSError, ValueError, IndexError):
        return -1


def resident_bytes(pid: int) -> int:
    """Memory in use, pages that processes share counted in parts; 0 for a process that is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            return int(rollup.read().partition("\nPss:")[2].split()[0]) * 1024
    except (OSError, ValueError, IndexError):
        return 0


def address_bytes() -> int:
    """How much address space this process has taken, of which RLIMIT_AS counts every byte."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[0]) * os.sysconf("SC_PAGESIZE")
