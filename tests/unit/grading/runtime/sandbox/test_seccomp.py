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
    UNSUPPORTED_FAMILY,
    UNSUPPORTED_FLAGS,
    build_system_call_filter,
)

X86, ARM = MACHINES["x86_64"].architecture, MACHINES["aarch64"].architecture


def _run_filter(code: bytes, number: int, architecture: int, argument: int = 0, flags: int = 0) -> int:
    data = struct.pack("=IIQ6Q", number, architecture, 0, argument, 0, 0, 0, 0, flags)
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
        ("x86_64", 221, X86, 0, IGNORE),  # fadvise64
        ("x86_64", 27, X86, 0, NOT_IMPLEMENTED),  # mincore
        ("x86_64", 451, X86, 0, NOT_IMPLEMENTED),  # cachestat
        ("x86_64", 206, X86, 0, NOT_IMPLEMENTED),  # io_setup
        ("x86_64", 300, X86, 0, REFUSE),  # fanotify_init
        ("aarch64", 0, ARM, 0, NOT_IMPLEMENTED),  # io_setup
        ("aarch64", 223, ARM, 0, IGNORE),
        ("aarch64", 232, ARM, 0, NOT_IMPLEMENTED),
    ],
)
def test_system_call_is_allowed_or_denied(
    machine: str, number: int, architecture: int, argument: int, action: int
) -> None:
    assert _run_filter(build_system_call_filter(machine), number, architecture, argument) == action


@pytest.mark.parametrize("call", ["socket", "socketpair"])
@pytest.mark.parametrize(("machine", "architecture"), [("x86_64", X86), ("aarch64", ARM)])
def test_socket_has_a_family_of_the_network_namespace(machine: str, architecture: int, call: str) -> None:
    number = MACHINES[machine].sockets[call == "socketpair"]
    code = build_system_call_filter(machine)
    allowed = {family for family in range(64) if _run_filter(code, number, architecture, family) == ALLOW}
    assert allowed == {1, 2, 10, 16}
    # The kernel reads an `int`, so the upper half of the argument changes nothing.
    assert _run_filter(code, number, architecture, 40) == UNSUPPORTED_FAMILY
    assert _run_filter(code, number, architecture, (1 << 32) | 40) == UNSUPPORTED_FAMILY
    assert _run_filter(code, number, architecture, (1 << 32) | 2) == ALLOW


@pytest.mark.parametrize(("machine", "architecture"), [("x86_64", X86), ("aarch64", ARM)])
def test_vectors_are_read_and_written_without_flags(machine: str, architecture: int) -> None:
    code = build_system_call_filter(machine)
    for number in MACHINES[machine].vectors:
        assert _run_filter(code, number, architecture, 3, flags=0) == ALLOW
        assert {_run_filter(code, number, architecture, 3, flags=1 << bit) for bit in range(32)} == {UNSUPPORTED_FLAGS}


def test_unknown_machine_has_no_filter() -> None:
    assert build_system_call_filter("riscv64") == b""
