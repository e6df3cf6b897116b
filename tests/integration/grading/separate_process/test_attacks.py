"""Attacks on the connection between judge and student process: none passes an assertion, none learns what a test expects.

Each file in `attacks/` contains attacks: `==== name`, then a cell of the student that defines `answer()` and appends what it finds to SEEN.
The secrets are numbers that only the test cell contains, and too long to occur in a memory address by chance.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pmh_jupyter.grading.runtime.separate_process.judge import SeparateProcessJudge
from pmh_jupyter.grading.runtime.separate_process.peers.student_peer import SeparateProcessStudentServer, StudentPeer
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost
from tests.support.grading.case_files import read_named_parts
from tests.support.grading.separate_process import STUDENT_CELL, TEST_CELL, open_judge, record_usage

pytestmark = pytest.mark.slow
FOLDER = Path(__file__).parent / "attacks"
REFERENCE = """
import math

def answer():
    return VALUE

VALUE = 642424242424242
"""
ASSERTIONS = [
    "assert answer() == 642424242424242",
    "assert answer() in (642424242424242,)",
    "assert not answer() != 642424242424242",
    "assert abs(answer() - 642424242424242) < 1e-6",
    "assert math.isclose(answer(), 642424242424242)",
    "assert 642424242424241 < answer() < 642424242424243",
    "assert {642424242424242: True}.get(answer())",
    "assert isinstance(answer(), int) and answer() - 642424242424242 == 0",
    "assert str(answer() + 0) == '642424242424242'",
    "assert type(answer()) is int and not answer() - 642424242424242",
    "assert sorted([answer(), 642424242424243]) == [642424242424242, 642424242424243]",
]
SECRETS = (642_424_242_424_242, 642_424_242_424_243, 642_424_242_424_241)


# Those of files.txt are tested in test_shared_files.py.
ATTACKS = read_named_parts(sorted(set(FOLDER.glob("*.txt")) - {FOLDER / "files.txt"}))


@pytest.fixture(scope="module")
def isolation() -> dict[str, object]:
    return record_usage([(STUDENT_CELL, REFERENCE), *((TEST_CELL, assertion) for assertion in ASSERTIONS)])


def test_reference_solution_passes_every_assertion(isolation: dict[str, object]) -> None:
    with open_judge(isolation) as judge:
        judge.run_student_cell(0, REFERENCE)
        outcomes = [
            judge.run_test_cell(number, f"t{number}", assertion)["tests"][0]["outcome"]
            for number, assertion in enumerate(ASSERTIONS, 1)
        ]
    assert outcomes == ["passed"] * len(ASSERTIONS)


def test_no_attack_file_is_empty_or_lost() -> None:
    assert len(ATTACKS) >= 25


# Reports which secrets the attack has seen, with the builtins from before the attack.
SETUP = """
import math
SEEN = []

def find_seen(numbers, repr=repr, str=str, Any=BaseException):
    texts = []
    for each in SEEN:
        try: texts.append(repr(each))
        except Any: pass
    return [number for number in numbers if str(number) in "".join(texts)]
"""


@pytest.mark.parametrize("attack", [row[1] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_attack_passes_no_assertion_and_learns_no_secret(attack: str, isolation: dict[str, object]) -> None:
    remaining = list(enumerate(ASSERTIONS, 1))
    passed: list[str] = []
    while remaining:
        # An attack that ends its process continues with the next assertion in another process.
        with open_judge(isolation) as judge, suppress(PeerLost):
            judge.run_student_cell(0, SETUP)
            assert judge.run_student_cell(1, attack) is None
            for assertion in run_assertions(judge, remaining):
                passed.append(assertion)
            assert judge.peer.request("lookup-name", "find_seen")[1](SECRETS) == []
    assert not passed


def run_assertions(judge: SeparateProcessJudge, remaining: list[tuple[int, str]]) -> Iterator[str]:
    """Run and remove the remaining assertions, and yield those that pass. Raises PeerLost if the attack ends its process."""
    while remaining:
        number, assertion = remaining.pop(0)
        results = judge.run_test_cell(number, f"t{number}", assertion)["tests"]
        yield from (assertion for result in results if result["outcome"] == "passed")


def test_attack_requests_every_operation(tmp_path: Path) -> None:
    """A request with a misspelled operation would be refused for the wrong reason."""
    attack = dict(ATTACKS)["requests for everything"]
    assert hasattr(StudentPeer, "request") and "peer.request(operation" in attack
    with socket.socket() as sock:
        server = SeparateProcessStudentServer(
            Link(sock),
            {},
            lambda number, source: None,
            lambda: False,
            shared_folders={"work": str(tmp_path)},
        )
    assert [operation for operation in server._handlers.handlers if f'"{operation}"' not in attack] == []
