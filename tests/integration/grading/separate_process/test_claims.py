"""Where objects of the student's may be compared with plain data, because the reference's are: what is believed of which."""

from __future__ import annotations

import pytest

from tests.support.grading.separate_process import STUDENT, TESTS, judge_of, recorded

REFERENCE = """
from functools import total_ordering

@total_ordering
class Money:
    def __init__(self, amount): self.amount = amount
    def __eq__(self, other): return self.amount == getattr(other, 'amount', other)
    def __lt__(self, other): return self.amount < getattr(other, 'amount', other)
    def __repr__(self): return f'Money({self.amount})'

def total(amounts): return sum(amounts)

def table(words): return {word: len(word) for word in words}
"""
CHECK = """
assert Money(3) == 3
assert Money(3) != 4
assert Money(2) < 3
assert Money(3) == Money(3)
assert [Money(2), Money(3)] == [2, 3]
assert Money({'a': 1}) == {'a': 1}
assert total([1, 2, 4]) == 7
assert table(['a', 'bcd']) == {'a': 1, 'bcd': 3}
assert total([]) == 0 and total([2]) != 3
"""
ABOUT_MONEY, ABOUT_DATA = 6, 3

HONEST = {
    "as it is": "",
    "a foreign operand is somebody else's": """
def eq(self, other):
    if not isinstance(other, (int, dict, Money)): return NotImplemented
    return self.amount == (other.amount if isinstance(other, Money) else other)
Money.__eq__ = eq
""",
    "by a tolerance": """
import math
def eq(self, other):
    other = getattr(other, 'amount', other)
    if isinstance(other, int) and isinstance(self.amount, int): return math.isclose(self.amount, other, rel_tol=1e-9)
    return self.amount == other
Money.__eq__ = eq
""",
    "a truth of NumPy's": """
import numpy
old = Money.__eq__
Money.__eq__ = lambda self, other: numpy.bool_(old(self, other))
""",
    "one that counts": """
old, asked = Money.__eq__, []
def eq(self, other):
    asked.append(other)
    return old(self, other)
Money.__eq__ = eq
""",
}
LIAR = """
class Money:
    def __init__(self, amount=0): self.amount, self.asked = amount, 0
    def __lt__(self, other): return True
    def __eq__(self, other):
        self.asked += 1
        return {claim}
def total(amounts): return Money()
def table(words): return Money()
"""
CLAIMS = [
    "True",
    "1",
    "'yes'",
    "[False]",
    "self.asked == 1",
    "self.asked % 2",
    "isinstance(other, (int, dict, Money, list))",
    "type(other) is dict and len(other) == 1",
    "other in (7, 0) or type(other) is dict",
    "isinstance(other, int) and abs(other) < 1000 or isinstance(other, (dict, Money))",
    "self",
]


@pytest.fixture(scope="module")
def judging() -> dict[str, object]:
    return recorded([(STUDENT, REFERENCE), (TESTS, CHECK)])


def judged(judging: dict[str, object], answer: str) -> tuple[list[str], list[str]]:
    """Outcomes and flags."""
    with judge_of(judging) as judge:
        assert judge.run_student_cell(0, REFERENCE) is None
        assert judge.run_student_cell(1, answer) is None
        tests, flags = judge.run_test_cell(2, "t1", CHECK)
    return [test["outcome"] for test in tests], [flag["code"] for flag in flags]


@pytest.mark.parametrize("answer", HONEST.values(), ids=HONEST.keys())
def test_an_honest_equality_is_believed(judging: dict[str, object], answer: str) -> None:
    assert judged(judging, answer) == (["passed"] * (ABOUT_MONEY + ABOUT_DATA), [])


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_liar_earns_nothing_where_plain_data_is_expected_and_is_flagged(
    judging: dict[str, object], claim: str
) -> None:
    outcomes, flags = judged(judging, LIAR.format(claim=claim))
    assert outcomes[ABOUT_MONEY:] == ["failed"] * ABOUT_DATA
    assert "failed" in outcomes[:ABOUT_MONEY]
    assert set(flags) == {"dishonest-operator"}


def test_whoever_equals_the_value_that_is_meant_earns_nothing_in_its_place(judging: dict[str, object]) -> None:
    """It knows what the tests expect, and still: an object in the place of plain data is not even asked."""
    answer = """
def eq(self, other): return other == self.amount
Money.__eq__ = eq
def total(amounts, honest=total): return Money(honest(amounts))
def table(words, honest=table): return Money(honest(words))
"""
    outcomes, flags = judged(judging, answer)
    assert outcomes == ["passed"] * ABOUT_MONEY + ["failed"] * ABOUT_DATA and flags == []
