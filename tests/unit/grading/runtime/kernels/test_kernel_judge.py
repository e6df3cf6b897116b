"""How the judge interprets replies of a kernel, well-formed or not."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from pmh_jupyter.grading.runtime.kernels.kernel_judge import KernelJudge, KernelUnavailable, add_kernel_overhead
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost

OK = {"status": "ok", "error_name": "", "message": "", "output": ""}
HIDDEN_TEST = "### BEGIN HIDDEN TESTS\n[ 1 = 2 ]\n### END HIDDEN TESTS"

MakeJudge = Callable[..., KernelJudge]


@pytest.fixture
def make_judge() -> Iterator[MakeJudge]:
    """Create a judge whose student process sends these replies in order. `start_error`: the kernel has not started."""
    with ExitStack() as open_sockets:

        def make(*replies: object, start_error: str = "") -> KernelJudge:
            judge_socket, student_socket = map(open_sockets.enter_context, socket.socketpair())
            for reply in ({"start_error": start_error}, *replies):
                Link(student_socket, 1 << 20).send(reply)
            judge = KernelJudge(Link(judge_socket, 1 << 20))
            judge.await_start()
            return judge

        yield make


@pytest.mark.parametrize(
    ("reply", "source", "expected"),
    [
        pytest.param(OK, "true", {"outcome": "passed", "reason": "", "is_hidden": False}, id="ok"),
        pytest.param(OK | {"status": "aborted"}, "true", {"outcome": "failed"}, id="aborted"),
        pytest.param(OK | {"status": ""}, "true", {"outcome": "failed"}, id="empty status"),
        pytest.param(
            OK | {"status": "error", "message": "1", "output": "Greet.\n"},
            "x",
            {"reason": "author-message", "text": "Greet."},
            id="output is the author's message",
        ),
        pytest.param(
            OK | {"status": "error", "message": "1"},
            "x",
            {"reason": "author-message", "text": "exit status 1"},
            id="no output",
        ),
        pytest.param(
            OK | {"status": "error", "error_name": "BoundsError", "message": "[4]"},
            "x",
            {"reason": "exception", "error_type": "BoundsError"},
            id="exception",
        ),
        pytest.param(
            OK | {"status": "error", "error_name": "E", "message": "secret", "output": "secret"},
            HIDDEN_TEST,
            {"reason": "not-met", "text": "", "error_type": "", "detail": "", "is_hidden": True},
            id="hidden test keeps its secret",
        ),
        pytest.param(
            OK | {"status": "error"},
            f"# feedback: Mind zero.\n{HIDDEN_TEST}",
            {"reason": "author-message", "text": "Mind zero."},
            id="feedback of a hidden test",
        ),
        pytest.param(
            OK | {"status": "error"},
            f"# feedback: Mind zero.\n# feedback: Mind one.\n{HIDDEN_TEST}",
            {"reason": "author-message", "text": "Mind zero. Mind one."},
            id="feedback of two lines",
        ),
    ],
)
def test_test_cell_passes_only_if_the_kernel_reports_ok(
    make_judge: MakeJudge, reply: dict[str, str], source: str, expected: dict[str, object]
) -> None:
    fields = make_judge(reply).run_test_cell(3, "t", source)
    (result,) = fields["tests"]
    assert {name: result[name] for name in expected} == expected
    assert fields["flags"] == []


def test_cell_without_anything_to_run_passes(make_judge: MakeJudge) -> None:
    (result,) = make_judge().run_test_cell(3, "t", "\n\n")["tests"]
    assert (result["outcome"], result["is_hidden"]) == ("passed", False)


def test_error_of_a_student_cell_names_the_cell(make_judge: MakeJudge) -> None:
    error = make_judge(OK | {"status": "error", "message": "2"}).run_student_cell(4, "false")
    assert error == {"error_type": "an error", "detail": "exit status 2", "cell": 4, "line": None}


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(None, id="None"),
        pytest.param([], id="list"),
        pytest.param("ok", id="text"),
        pytest.param({"status": "ok"}, id="missing fields"),
        pytest.param(OK | {"status": 1}, id="number as status"),
        pytest.param(OK | {"more": ""}, id="unknown field"),
    ],
)
def test_malformed_reply_is_a_loss(make_judge: MakeJudge, reply: object) -> None:
    with pytest.raises(PeerLost) as lost:
        make_judge(reply).run_test_cell(0, "t", "true")
    assert lost.value.cause == "protocol-error"


def test_killed_kernel_is_a_loss(make_judge: MakeJudge) -> None:
    with pytest.raises(PeerLost) as lost:
        make_judge(OK | {"status": "kernel-died"}).run_student_cell(0, "exit")
    assert (lost.value.cause, lost.value.detail) == ("exit", "")


def test_missing_kernel_is_not_the_students_error(make_judge: MakeJudge) -> None:
    with pytest.raises(KernelUnavailable, match="ir is not installed"):
        make_judge(start_error="the kernel ir is not installed")


def test_kernel_gets_memory_on_top_of_the_submissions() -> None:
    limits = add_kernel_overhead({"memory_bytes": 1, "cell_seconds": 2})
    assert limits["memory_bytes"] > 1 << 20
    assert (limits["cell_seconds"], limits["reserves_address_space"]) == (2, True)
