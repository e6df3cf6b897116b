"""A system call filter against abuse that neither a resource limit nor a namespace can prevent.

It denies memory that no limit counts (memfd, System V shared memory, message queues, keys, pages in a pipe, a tmpfs in a new
namespace), scheduling at the expense of other submissions, new user namespaces, and calls that notebooks do not need and exploits of the
kernel have used. The calling program gets an ordinary error. A request for other CPUs has no effect, but succeeds, because some libraries
make it unnecessarily. `sched_setscheduler` is allowed: ZeroMQ aborts without it, and without privileges, the kernel does not grant a policy
that takes precedence over others.

Format: classic BPF over `struct seccomp_data` (linux/seccomp.h, linux/filter.h); numbers from asm/unistd_64.h and asm-generic/unistd.h.
"""

from __future__ import annotations

import struct

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
CALL_NUMBER_OFFSET, ARCHITECTURE_OFFSET, FIRST_ARGUMENT_OFFSET = 0, 4, 16
ALLOW, KILL = 0x7FFF0000, 0x80000000
# EPERM; ENOSYS, after which the C library uses the older call.
REFUSE, NOT_IMPLEMENTED = 0x00050000 | 1, 0x00050000 | 38
IGNORE = 0x00050000  # the call returns 0 and does nothing
CLONE_NEWUSER = 0x10000000
FIRST_X32 = 0x40000000

# By machine: its AUDIT_ARCH, the numbers of the two calls that take clone's flags, and of each call that is denied.
MACHINES: dict[str, tuple[int, tuple[int, int], dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        (56, 272),
        {"shmget": 29, "add_key": 248, "request_key": 249, "keyctl": 250, "perf_event_open": 298, "memfd_create": 319}
        | {"bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "memfd_secret": 447}
        | {"semget": 64, "msgget": 68, "mq_open": 240, "ioprio_set": 251, "sched_setattr": 314, "vmsplice": 278},
    ),
    "aarch64": (
        0xC00000B7,
        (220, 97),
        {"shmget": 194, "add_key": 217, "request_key": 218, "keyctl": 219, "perf_event_open": 241, "memfd_create": 279}
        | {"bpf": 280, "userfaultfd": 282, "io_uring_setup": 425, "memfd_secret": 447}
        | {"semget": 190, "msgget": 186, "mq_open": 180, "ioprio_set": 30, "sched_setattr": 274, "vmsplice": 75},
    ),
}
SET_AFFINITY_NUMBERS = {"x86_64": 203, "aarch64": 122}
CLONE3_NUMBER = 435  # its flags are in memory, which a filter cannot read


def build_system_call_filter(machine: str) -> bytes:
    """Return the filter program; empty for a machine that `MACHINES` does not list."""
    if machine not in MACHINES:
        return b""
    architecture, clone_calls, refused_calls = MACHINES[machine]
    instructions = [
        _pack_instruction(LOAD, ARCHITECTURE_OFFSET),
        _pack_instruction(JUMP_EQUAL, architecture, 1, 0),
        _pack_instruction(RETURN, KILL),
        _pack_instruction(LOAD, CALL_NUMBER_OFFSET),
        *(_pack_instruction(JUMP_AT_LEAST, FIRST_X32, 0, 1), _pack_instruction(RETURN, NOT_IMPLEMENTED)),
        *(_pack_instruction(JUMP_EQUAL, CLONE3_NUMBER, 0, 1), _pack_instruction(RETURN, NOT_IMPLEMENTED)),
    ]
    affinity_number = SET_AFFINITY_NUMBERS[machine]
    instructions += [_pack_instruction(JUMP_EQUAL, affinity_number, 0, 1), _pack_instruction(RETURN, IGNORE)]
    for number in refused_calls.values():
        instructions += [_pack_instruction(JUMP_EQUAL, number, 0, 1), _pack_instruction(RETURN, REFUSE)]
    for number in clone_calls:
        instructions += [
            _pack_instruction(JUMP_EQUAL, number, 0, 4),
            _pack_instruction(LOAD, FIRST_ARGUMENT_OFFSET),
            _pack_instruction(JUMP_ANY_BIT, CLONE_NEWUSER, 0, 1),
            _pack_instruction(RETURN, REFUSE),
            _pack_instruction(RETURN, ALLOW),
        ]
    return b"".join([*instructions, _pack_instruction(RETURN, ALLOW)])


def _pack_instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
