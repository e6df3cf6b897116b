"""What the judge makes of a kernel's word, and of what is none."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from pmh_jupyter.grading.runtime.kernels.kernel_channel import KernelJudge, KernelUnavailable, add_kernel_overhead
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost

OK = {"status": "ok", "error_name": "", "message": "", "output": ""}
HIDDEN = "### BEGIN HIDDEN TESTS\n[ 1 = 2 ]\n### END HIDDEN TESTS"


Make = Callable[..., KernelJudge]


@pytest.fixture
def side() -> Iterator[Make]:
    """Makes a judge that hears these answers, one after another; `first` is what is said of the kernel before."""
    with ExitStack() as kept:

        def make(*answers: object, first: str = "") -> KernelJudge:
            ours, theirs = map(kept.enter_context, socket.socketpair())
            for answer in ({"start_error": first}, *answers):
                Link(theirs, 1 << 20).send(answer)
            return KernelJudge(Link(ours, 1 << 20))

        yield make


@pytest.mark.parametrize(
    ("told", "source", "wanted"),
    [
        (OK, "true", {"outcome": "passed", "reason": "", "is_hidden": False}),
        (OK | {"status": "aborted"}, "true", {"outcome": "failed"}),
        (OK | {"status": ""}, "true", {"outcome": "failed"}),
        (
            OK | {"status": "error", "message": "1", "output": "Greet.\n"},
            "x",
            {"reason": "author-message", "text": "Greet."},
        ),
        (OK | {"status": "error", "message": "1"}, "x", {"reason": "author-message", "text": "exit status 1"}),
        (
            OK | {"status": "error", "error_name": "BoundsError", "message": "[4]"},
            "x",
            {"reason": "exception", "error_type": "BoundsError"},
        ),
        (
            OK | {"status": "error", "error_name": "E", "message": "secret", "output": "secret"},
            HIDDEN,
            {"reason": "not-met", "text": "", "error_type": "", "detail": "", "is_hidden": True},
        ),
        (
            OK | {"status": "error"},
            f"# feedback: Mind zero.\n{HIDDEN}",
            {"reason": "author-message", "text": "Mind zero."},
        ),
    ],
)
def test_a_test_cell_passes_only_where_the_kernel_says_ok(
    side: Make, told: dict[str, str], source: str, wanted: dict[str, object]
) -> None:
    (test,), flags = side(told).run_test_cell(3, "t", source)
    assert {name: test[name] for name in wanted} == wanted
    assert flags == []


def test_a_students_cell_that_fails_is_told_by_its_cell(side: Make) -> None:
    fault = side(OK | {"status": "error", "message": "2"}).run_student_cell(4, "false")
    assert fault == {"error_type": "an error", "detail": "exit status 2", "cell": 4, "line": None}


@pytest.mark.parametrize("answer", [None, [], "ok", {"status": "ok"}, OK | {"status": 1}, OK | {"more": ""}])
def test_what_is_no_kernels_word_is_no_pass(side: Make, answer: object) -> None:
    with pytest.raises(PeerLost):
        side(answer).run_test_cell(0, "t", "true")


def test_a_kernel_that_is_gone_is_a_loss(side: Make) -> None:
    with pytest.raises(PeerLost) as lost:
        side(OK | {"status": "kernel-died"}).run_student_cell(0, "exit")
    assert (lost.value.cause, lost.value.detail) == ("exit", "")


def test_a_kernel_that_is_missing_is_nobodys_zero(side: Make) -> None:
    with pytest.raises(KernelUnavailable, match="ir is not installed"):
        side(first="the kernel ir is not installed")


def test_a_kernel_has_room_of_its_own() -> None:
    assert add_kernel_overhead({"memory_bytes": 1, "cell_seconds": 2})["memory_bytes"] > 1 << 20
