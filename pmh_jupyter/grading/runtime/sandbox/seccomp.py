"""A system call filter against abuse that neither a resource limit nor a namespace can prevent.

It denies memory that no limit counts (memfd, System V shared memory, message queues, keys, pages in a pipe, a tmpfs in a new
namespace), scheduling at the expense of other submissions, new user namespaces, and calls that notebooks do not need and exploits of the
kernel have used. It also denies what belongs to the whole machine: contexts of asynchronous input and output, groups of fanotify, sockets
of a family that no network namespace contains, and the page cache, whose state one run could change and the next one read.

The calling program gets an ordinary error. A request for other CPUs, or advice on how a file will be read, has no effect, but succeeds,
because some libraries make it unnecessarily. `sched_setscheduler` is allowed: ZeroMQ aborts without it, and without privileges, the kernel
does not grant a policy that takes precedence over others.

Format: classic BPF over `struct seccomp_data` (linux/seccomp.h, linux/filter.h); numbers from asm/unistd_64.h and asm-generic/unistd.h.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Of the lower half of an argument, which is all of an `int`.
CALL_NUMBER_OFFSET, ARCHITECTURE_OFFSET, FIRST_ARGUMENT_OFFSET, SIXTH_ARGUMENT_OFFSET = 0, 4, 16, 56
ALLOW, KILL = 0x7FFF0000, 0x80000000
# EPERM; ENOSYS, after which the C library uses the older call.
REFUSE, NOT_IMPLEMENTED = 0x00050000 | 1, 0x00050000 | 38
# EOPNOTSUPP and EAFNOSUPPORT: what a kernel answers that does not have these flags, or this family.
UNSUPPORTED_FLAGS, UNSUPPORTED_FAMILY = 0x00050000 | 95, 0x00050000 | 97
IGNORE = 0x00050000  # the call returns 0 and does nothing
CLONE_NEWUSER = 0x10000000
FIRST_X32 = 0x40000000

ALL_BITS = 0xFFFFFFFF
# AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: those that a network namespace contains and programs use.
SOCKET_FAMILIES = (1, 2, 10, 16)


@dataclass(frozen=True)
class Machine:
    """The system calls of one architecture that the filter treats specially, by number.

    architecture: its AUDIT_ARCH. clone: the two calls that take clone's flags. sockets: the two calls that take a family.
    vectors: those that read or write with flags, for example only what is in the page cache.
    ignored, refused, missing: how the others end (IGNORE, REFUSE, NOT_IMPLEMENTED).
    """

    architecture: int
    clone: tuple[int, int]
    sockets: tuple[int, int]
    vectors: tuple[int, int]
    ignored: dict[str, int]
    refused: dict[str, int]
    missing: dict[str, int]


MACHINES = {
    "x86_64": Machine(
        0xC000003E,
        clone=(56, 272),
        sockets=(41, 53),
        vectors=(327, 328),
        ignored={"sched_setaffinity": 203, "fadvise64": 221},
        refused={"shmget": 29, "add_key": 248, "request_key": 249, "keyctl": 250, "perf_event_open": 298}
        | {"memfd_create": 319, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "memfd_secret": 447}
        | {"semget": 64, "msgget": 68, "mq_open": 240, "ioprio_set": 251, "sched_setattr": 314, "vmsplice": 278}
        | {"fanotify_init": 300},
        missing={"mincore": 27, "io_setup": 206, "cachestat": 451},
    ),
    "aarch64": Machine(
        0xC00000B7,
        clone=(220, 97),
        sockets=(198, 199),
        vectors=(286, 287),
        ignored={"sched_setaffinity": 122, "fadvise64": 223},
        refused={"shmget": 194, "add_key": 217, "request_key": 218, "keyctl": 219, "perf_event_open": 241}
        | {"memfd_create": 279, "bpf": 280, "userfaultfd": 282, "io_uring_setup": 425, "memfd_secret": 447}
        | {"semget": 190, "msgget": 186, "mq_open": 180, "ioprio_set": 30, "sched_setattr": 274, "vmsplice": 75}
        | {"fanotify_init": 262},
        missing={"mincore": 232, "io_setup": 0, "cachestat": 451},
    ),
}
CLONE3_NUMBER = 435  # its flags are in memory, which a filter cannot read


def build_system_call_filter(machine_name: str) -> bytes:
    """Return the filter program; empty for a machine that `MACHINES` does not list."""
    machine = MACHINES.get(machine_name)
    if machine is None:
        return b""
    instructions = [
        _pack_instruction(LOAD, ARCHITECTURE_OFFSET),
        _pack_instruction(JUMP_EQUAL, machine.architecture, 1, 0),
        _pack_instruction(RETURN, KILL),
        _pack_instruction(LOAD, CALL_NUMBER_OFFSET),
        *(_pack_instruction(JUMP_AT_LEAST, FIRST_X32, 0, 1), _pack_instruction(RETURN, NOT_IMPLEMENTED)),
    ]
    actions = {CLONE3_NUMBER: NOT_IMPLEMENTED}
    actions |= dict.fromkeys(machine.ignored.values(), IGNORE)
    actions |= dict.fromkeys(machine.refused.values(), REFUSE)
    actions |= dict.fromkeys(machine.missing.values(), NOT_IMPLEMENTED)
    for number, action in actions.items():
        instructions += [_pack_instruction(JUMP_EQUAL, number, 0, 1), _pack_instruction(RETURN, action)]
    for number in machine.clone:
        instructions += _refuse_bits(number, FIRST_ARGUMENT_OFFSET, CLONE_NEWUSER, REFUSE)
    for number in machine.vectors:
        instructions += _refuse_bits(number, SIXTH_ARGUMENT_OFFSET, ALL_BITS, UNSUPPORTED_FLAGS)
    for number in machine.sockets:
        instructions += _refuse_other_values(number, FIRST_ARGUMENT_OFFSET, SOCKET_FAMILIES, UNSUPPORTED_FAMILY)
    return b"".join([*instructions, _pack_instruction(RETURN, ALLOW)])


def _refuse_bits(number: int, argument_offset: int, bits: int, action: int) -> list[bytes]:
    """Return instructions that end a call with `action` if its argument has any of the bits."""
    return [
        _pack_instruction(JUMP_EQUAL, number, 0, 4),
        _pack_instruction(LOAD, argument_offset),
        _pack_instruction(JUMP_ANY_BIT, bits, 0, 1),
        _pack_instruction(RETURN, action),
        _pack_instruction(RETURN, ALLOW),
    ]


def _refuse_other_values(number: int, argument_offset: int, values: tuple[int, ...], action: int) -> list[bytes]:
    """Return instructions that end a call with `action` unless its argument is one of the values."""
    return [
        _pack_instruction(JUMP_EQUAL, number, 0, len(values) + 3),
        _pack_instruction(LOAD, argument_offset),
        *(_pack_instruction(JUMP_EQUAL, value, len(values) - index) for index, value in enumerate(values)),
        _pack_instruction(RETURN, action),
        _pack_instruction(RETURN, ALLOW),
    ]


def _pack_instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
