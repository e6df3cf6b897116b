"""The filter of system calls, run by a small interpreter of classic BPF."""

from __future__ import annotations

import struct

import pytest

from pmh_jupyter.grading.runtime.sandbox.seccomp import (
    ALLOW,
    CLONE_NEWUSER,
    KILL,
    MACHINES,
    NOT_IMPLEMENTED,
    REFUSE,
    build_system_call_filter,
)

X86, ARM = MACHINES["x86_64"][0], MACHINES["aarch64"][0]


def _verdict(code: bytes, number: int, architecture: int, argument: int = 0) -> int:
    data = struct.pack("=IIQQ", number, architecture, 0, argument)
    steps = list(struct.iter_unpack("=HBBI", code))
    at = loaded = 0
    while True:
        operation, if_true, if_false, value = steps[at]
        at += 1
        if operation == 0x06:
            return int(value)
        if operation == 0x20:
            (loaded,) = struct.unpack_from("=I", data, value)
        else:
            holds = {0x15: loaded == value, 0x35: loaded >= value, 0x45: loaded & value != 0}[operation]
            at += if_true if holds else if_false


@pytest.mark.parametrize(
    ("machine", "number", "architecture", "argument", "verdict"),
    [
        ("x86_64", 0, X86, 0, ALLOW),  # read
        ("x86_64", 319, X86, 0, REFUSE),  # memfd_create
        ("x86_64", 447, X86, 0, REFUSE),  # memfd_secret, the last of the list
        ("x86_64", 56, X86, 0x11, ALLOW),  # clone, as fork does
        ("x86_64", 56, X86, CLONE_NEWUSER | 0x11, REFUSE),
        ("x86_64", 272, X86, CLONE_NEWUSER, REFUSE),  # unshare
        ("x86_64", 272, X86, 0x20000, ALLOW),
        ("x86_64", 435, X86, 0, NOT_IMPLEMENTED),  # clone3
        ("x86_64", 0x40000000 + 56, X86, 0, NOT_IMPLEMENTED),  # x32
        ("x86_64", 56, 0x40000003, 0, KILL),  # i386
        ("aarch64", 279, ARM, 0, REFUSE),
        ("aarch64", 319, ARM, 0, ALLOW),
        ("aarch64", 220, ARM, CLONE_NEWUSER, REFUSE),
        ("aarch64", 0, X86, 0, KILL),
    ],
)
def test_a_call_is_allowed_or_refused(
    machine: str, number: int, architecture: int, argument: int, verdict: int
) -> None:
    assert _verdict(build_system_call_filter(machine), number, architecture, argument) == verdict


def test_a_machine_that_is_not_known_has_no_filter() -> None:
    assert build_system_call_filter("riscv64") == b""
