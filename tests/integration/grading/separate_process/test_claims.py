"""Claims of the student's objects, in assertions in which the reference solution compares objects with plain data."""

from __future__ import annotations

import pytest

from tests.support.grading.separate_process import STUDENT_CELL, TEST_CELL, open_judge, record_usage

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
ASSERTIONS = """
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
OBJECT_ASSERTIONS, DATA_ASSERTIONS = 6, 3

HONEST = {
    "the reference itself": "",
    "returns NotImplemented for other types": """
def eq(self, other):
    if not isinstance(other, (int, dict, Money)): return NotImplemented
    return self.amount == (other.amount if isinstance(other, Money) else other)
Money.__eq__ = eq
""",
    "compares with a tolerance": """
import math
def eq(self, other):
    other = getattr(other, 'amount', other)
    if isinstance(other, int) and isinstance(self.amount, int): return math.isclose(self.amount, other, rel_tol=1e-9)
    return self.amount == other
Money.__eq__ = eq
""",
    "returns a NumPy bool": """
import numpy
old = Money.__eq__
Money.__eq__ = lambda self, other: numpy.bool_(old(self, other))
""",
    "counts its comparisons": """
old, operands = Money.__eq__, []
def eq(self, other):
    operands.append(other)
    return old(self, other)
Money.__eq__ = eq
""",
}
DISHONEST = """
class Money:
    def __init__(self, amount=0): self.amount, self.count = amount, 0
    def __lt__(self, other): return True
    def __eq__(self, other):
        self.count += 1
        return {claim}
def total(amounts): return Money()
def table(words): return Money()
"""
GUESS = "self.count == 1"  # equals a single value, as a wrong answer does
CLAIMS = [
    "True",
    "1",
    "'yes'",
    "[False]",
    GUESS,
    "self.count % 2",
    "isinstance(other, (int, dict, Money, list))",
    "type(other) is dict and len(other) == 1",
    "other in (7, 0) or type(other) is dict",
    "isinstance(other, int) and abs(other) < 1000 or isinstance(other, (dict, Money))",
    "self",
]


@pytest.fixture(scope="module")
def isolation() -> dict[str, object]:
    return record_usage([(STUDENT_CELL, REFERENCE), (TEST_CELL, ASSERTIONS)])


def run_answer(isolation: dict[str, object], answer: str) -> tuple[list[str], list[str]]:
    """Return the outcomes and the codes of the flags."""
    with open_judge(isolation) as judge:
        assert judge.run_student_cell(0, REFERENCE) is None
        assert judge.run_student_cell(1, answer) is None
        fields = judge.run_test_cell(2, "t1", ASSERTIONS)
    return [result["outcome"] for result in fields["tests"]], [flag["code"] for flag in fields["flags"]]


@pytest.mark.parametrize("answer", HONEST.values(), ids=HONEST.keys())
def test_honest_equality_is_accepted(isolation: dict[str, object], answer: str) -> None:
    assert run_answer(isolation, answer) == (["passed"] * (OBJECT_ASSERTIONS + DATA_ASSERTIONS), [])


@pytest.mark.parametrize("claim", CLAIMS)
def test_dishonest_object_fails_where_plain_data_is_expected_and_is_flagged(
    isolation: dict[str, object], claim: str
) -> None:
    outcomes, flags = run_answer(isolation, DISHONEST.format(claim=claim))
    assert outcomes[OBJECT_ASSERTIONS:] == ["failed"] * DATA_ASSERTIONS
    assert "failed" in outcomes[:OBJECT_ASSERTIONS]
    contradiction = set() if claim == GUESS else {"dishonest-operator"}
    assert set(flags) == {"object-for-data", *contradiction}


def test_object_that_equals_the_expected_data_fails_in_its_place(isolation: dict[str, object]) -> None:
    """An object in the place of plain data is not compared at all, so knowing the expected value does not help."""
    answer = """
def eq(self, other): return other == self.amount
Money.__eq__ = eq
def total(amounts, honest=total): return Money(honest(amounts))
def table(words, honest=table): return Money(honest(words))
"""
    outcomes, flags = run_answer(isolation, answer)
    assert outcomes == ["passed"] * OBJECT_ASSERTIONS + ["failed"] * DATA_ASSERTIONS
    assert set(flags) == {"object-for-data"}
