"""Attacks on the conversation between judge and student's process: none earns a check, none learns what a test expects.

Each of `attacks/*.txt` holds attacks: after `==== name` a student's cell that defines `answer()`; whatever it finds out it puts
into SEEN. All secrets are numbers that stand in the test cell alone, and so long that no address in memory holds one by chance.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from pmh_jupyter.grading.runtime.transport.framing import PeerLost
from tests.support.grading.separate_process import STUDENT, TESTS, judge_of, recorded

FOLDER = Path(__file__).parent / "attacks"
REFERENCE = """
import math

def answer():
    return VALUE

VALUE = 642424242424242
"""
CHECKS = [
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


def _attacks() -> list[tuple[str, str]]:
    rows = []
    for path in sorted(set(FOLDER.glob("*.txt")) - {FOLDER / "files.txt"}):  # those: see test_files
        for part in path.read_text(encoding="utf-8").split("==== ")[1:]:
            name, _, source = part.partition("\n")
            rows.append((name, source))
    return rows


ATTACKS = _attacks()


@pytest.fixture(scope="module")
def judging() -> dict[str, object]:
    return recorded([(STUDENT, REFERENCE), *((TESTS, check) for check in CHECKS)])


def test_the_reference_passes(judging: dict[str, object]) -> None:
    with judge_of(judging) as judge:
        judge.run_student_cell(0, REFERENCE)
        outcomes = [judge.run_test_cell(n, f"t{n}", check)[0][0]["outcome"] for n, check in enumerate(CHECKS, 1)]
    assert outcomes == ["passed"] * len(CHECKS)


def test_there_are_enough_of_them() -> None:
    assert len(ATTACKS) >= 25


# Asked for what the attack has seen, with the functions as they were before it.
BEFORE = """
import math
SEEN = []

def found(numbers, repr=repr, str=str, Any=BaseException):
    texts = []
    for each in SEEN:
        try: texts.append(repr(each))
        except Any: pass
    return [number for number in numbers if str(number) in "".join(texts)]
"""


@pytest.mark.parametrize("attack", [row[1] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_an_attack_earns_and_learns_nothing(attack: str, judging: dict[str, object]) -> None:
    waiting = list(enumerate(CHECKS, 1))
    earned: list[str] = []
    while waiting:
        # What takes its process along goes on with the next check in another one.
        with judge_of(judging) as judge, suppress(PeerLost):
            judge.run_student_cell(0, BEFORE)
            judge.run_student_cell(1, attack)
            while waiting:
                number, check = waiting.pop(0)
                tests, _ = judge.run_test_cell(number, f"t{number}", check)
                earned += [check for test in tests if test["outcome"] == "passed"]
            assert judge.peer.request("lookup-name", "found")[1](SECRETS) == []
    assert not earned
