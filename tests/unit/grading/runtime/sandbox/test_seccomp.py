"""The filter of system calls, evaluated by a small interpreter of classic BPF."""

from __future__ import annotations

import struct

import pytest

from pmh_jupyter.grading.runtime.sandbox.seccomp import (
    ALLOW,
    CLONE_NEWUSER,
    IGNORE,
    KILL,
    MACHINES,
    NOT_IMPLEMENTED,
    REFUSE,
    build_system_call_filter,
)

X86, ARM = MACHINES["x86_64"][0], MACHINES["aarch64"][0]


def _run_filter(code: bytes, number: int, architecture: int, argument: int = 0) -> int:
    data = struct.pack("=IIQQ", number, architecture, 0, argument)
    instructions = list(struct.iter_unpack("=HBBI", code))
    index = accumulator = 0
    while True:
        operation, if_true, if_false, value = instructions[index]
        index += 1
        if operation == 0x06:
            return int(value)
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        else:
            comparisons = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: accumulator & value != 0}
            index += if_true if comparisons[operation] else if_false


@pytest.mark.parametrize(
    ("machine", "number", "architecture", "argument", "action"),
    [
        ("x86_64", 0, X86, 0, ALLOW),  # read
        ("x86_64", 319, X86, 0, REFUSE),  # memfd_create
        ("x86_64", 447, X86, 0, REFUSE),  # memfd_secret, the last of the list
        ("x86_64", 203, X86, 0, IGNORE),  # sched_setaffinity
        ("x86_64", 204, X86, 0, ALLOW),  # sched_getaffinity
        ("x86_64", 141, X86, 0, ALLOW),  # setpriority
        ("x86_64", 144, X86, 0, ALLOW),  # sched_setscheduler, which ZeroMQ needs
        ("x86_64", 314, X86, 0, REFUSE),  # sched_setattr
        ("x86_64", 68, X86, 0, REFUSE),  # msgget
        ("x86_64", 278, X86, 0, REFUSE),  # vmsplice
        ("x86_64", 56, X86, 0x11, ALLOW),  # clone, as fork does
        ("x86_64", 56, X86, CLONE_NEWUSER | 0x11, REFUSE),
        ("x86_64", 272, X86, CLONE_NEWUSER, REFUSE),  # unshare
        ("x86_64", 272, X86, 0x20000, ALLOW),
        ("x86_64", 435, X86, 0, NOT_IMPLEMENTED),  # clone3
        ("x86_64", 0x40000000 + 56, X86, 0, NOT_IMPLEMENTED),  # x32
        ("x86_64", 56, 0x40000003, 0, KILL),  # i386
        ("aarch64", 122, ARM, 0, IGNORE),
        ("aarch64", 274, ARM, 0, REFUSE),
        ("aarch64", 279, ARM, 0, REFUSE),
        ("aarch64", 319, ARM, 0, ALLOW),
        ("aarch64", 220, ARM, CLONE_NEWUSER, REFUSE),
        ("aarch64", 0, X86, 0, KILL),
    ],
)
def test_system_call_is_allowed_or_denied(
    machine: str, number: int, architecture: int, argument: int, action: int
) -> None:
    assert _run_filter(build_system_call_filter(machine), number, architecture, argument) == action


def test_unknown_machine_has_no_filter() -> None:
    assert build_system_call_filter("riscv64") == b""
