"""A filter of system calls: what neither a limit nor a namespace holds.

Refused is memory that no limit counts (memfd, System V shared memory, keys, a tmpfs in a namespace of one's own), new user namespaces,
and calls that a notebook has no use for and kernels have been broken through. A program that is refused one sees an ordinary error.

Format: classic BPF over `struct seccomp_data` (linux/seccomp.h, linux/filter.h); numbers from asm/unistd_64.h and asm-generic/unistd.h.
"""

from __future__ import annotations

import struct

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSE, UNKNOWN = 0x00050000 | 1, 0x00050000 | 38  # EPERM; ENOSYS, after which the C library takes the older call
CLONE_NEWUSER = 0x10000000
FIRST_X32 = 0x40000000

# By machine: its AUDIT_ARCH, the two calls that take clone's flags, and the number of each call that is refused.
MACHINES: dict[str, tuple[int, tuple[int, int], dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        (56, 272),
        {"shmget": 29, "add_key": 248, "request_key": 249, "keyctl": 250, "perf_event_open": 298, "memfd_create": 319}
        | {"bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "memfd_secret": 447},
    ),
    "aarch64": (
        0xC00000B7,
        (220, 97),
        {"shmget": 194, "add_key": 217, "request_key": 218, "keyctl": 219, "perf_event_open": 241, "memfd_create": 279}
        | {"bpf": 280, "userfaultfd": 282, "io_uring_setup": 425, "memfd_secret": 447},
    ),
}
CLONE3 = 435  # its flags lie in memory, where a filter cannot look


def system_call_filter(machine: str) -> bytes:
    """The program; empty for a machine whose numbers are not listed."""
    if machine not in MACHINES:
        return b""
    architecture, flagged, refused = MACHINES[machine]
    code = [
        _step(LOAD, ARCHITECTURE),
        _step(JUMP_EQUAL, architecture, 1, 0),
        _step(RETURN, KILL),
        _step(LOAD, NUMBER),
        *(_step(JUMP_AT_LEAST, FIRST_X32, 0, 1), _step(RETURN, UNKNOWN)),
        *(_step(JUMP_EQUAL, CLONE3, 0, 1), _step(RETURN, UNKNOWN)),
    ]
    for number in refused.values():
        code += [_step(JUMP_EQUAL, number, 0, 1), _step(RETURN, REFUSE)]
    for number in flagged:
        code += [
            _step(JUMP_EQUAL, number, 0, 4),
            _step(LOAD, FIRST_ARGUMENT),
            _step(JUMP_ANY_BIT, CLONE_NEWUSER, 0, 1),
            _step(RETURN, REFUSE),
            _step(RETURN, ALLOW),
        ]
    return b"".join([*code, _step(RETURN, ALLOW)])


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
