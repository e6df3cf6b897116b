"""Which operators a test cell may apply to the student's objects, and which claims of these objects are accepted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.separate_process.operator_policy import (
    DISHONEST_OPERATOR,
    OBJECT_FOR_DATA,
    OperatorPolicy,
    PolicyViolation,
    operator_family,
)


def make_policy(*operators: str, is_recording: bool = False) -> OperatorPolicy:
    policy = OperatorPolicy(is_recording=is_recording)
    policy.begin_cell(operators, "assert x")
    return policy


@pytest.mark.parametrize(
    ("name", "family"),
    [("eq", {"ne"}), ("lt", {"ge", "le", "gt"}), ("add", {"radd", "iadd"}), ("rsub", {"sub"}), ("bool", {"len"})],
)
def test_operators_of_one_family_are_allowed_together(name: str, family: set[str]) -> None:
    assert family | {name} <= operator_family(name)


def test_operator_that_the_reference_did_not_use_is_a_violation() -> None:
    policy = make_policy("lt")
    policy.check_operator("le", int)
    with pytest.raises(PolicyViolation, match="class int where the reference gives plain data"):
        policy.check_operator("eq", int)
    assert policy.violation is not None and [flag["code"] for flag in policy.flags] == [OBJECT_FOR_DATA]


@pytest.mark.parametrize("name", ["call", "str", "iter", "enter"])
def test_operator_that_passes_nothing_of_the_test_is_always_allowed(name: str) -> None:
    policy = make_policy()
    policy.check_operator(name, int)
    assert policy.violation is None and not policy.flags and not policy.used_operators


def test_every_operator_is_allowed_and_recorded_while_recording() -> None:
    policy = make_policy(is_recording=True)
    policy.check_operator("eq", int)
    assert policy.used_operators == {"eq"} and policy.violation is None


def test_comparison_with_plain_data_is_recorded_and_allowed_separately() -> None:
    policy = make_policy(is_recording=True)
    assert policy.allows_plain_data("lt") and policy.used_operators == {"lt plain-data 0"}
    assert not make_policy("lt").allows_plain_data("ge") and make_policy("lt", "lt plain-data 0").allows_plain_data(
        "ge"
    )
    assert make_policy("lt").allows_plain_data("add") and make_policy().allows_plain_data("eq"), (
        "refused elsewhere, or not at all"
    )


def test_comparison_with_plain_data_is_allowed_only_in_the_statement_that_recorded_it() -> None:
    recording = make_policy(is_recording=True)
    recording.begin_statement()
    recording.allows_plain_data("eq")
    policy = make_policy("eq", *recording.used_operators)
    allowed = [policy.allows_plain_data("eq")]
    for _ in range(2):
        policy.begin_statement()
        allowed.append(policy.allows_plain_data("ne"))
    assert allowed == [False, True, False]


def test_unusual_claim_of_the_reference_is_accepted_in_the_same_check() -> None:
    policy, claims = make_policy(is_recording=True), Claims(eq=True)
    policy.verify_claim("eq", int, True, 7, claims)
    assert policy.used_operators == {"eq unusual-claim 0"} and policy.violation is None
    make_policy("eq", "eq unusual-claim 0").verify_claim("ne", int, False, 7, claims)
    with pytest.raises(PolicyViolation):
        make_policy("eq").verify_claim("ne", int, False, 7, claims)


def test_policy_does_not_apply_between_test_cells() -> None:
    policy = make_policy()
    policy.end_cell()
    policy.check_operator("eq", int)
    assert policy.violation is None and not policy.flags and not policy.used_operators


class Claims:
    """An object whose operators return what the table says, or False."""

    def __init__(self, **table: Any) -> None:
        self.table = table
        self.operands: list[Any] = []

    def __call__(self, name: str, value: Any) -> Any:
        self.operands.append(value)
        return self.table.get(name, False)


@pytest.mark.parametrize(
    ("name", "claim", "table"),
    [
        ("eq", True, {"eq": True}),
        ("ne", False, {"eq": True}),
        ("contains", True, {"contains": True}),
        ("lt", True, {"ge": True}),
        ("eq", True, {"ne": True}),
    ],
)
def test_claim_that_cannot_be_true_is_a_violation(name: str, claim: bool, table: dict[str, bool]) -> None:
    policy = make_policy(name)
    with pytest.raises(PolicyViolation):
        policy.verify_claim(name, int, claim, 5, Claims(**table))
    assert [flag["code"] for flag in policy.flags] == [DISHONEST_OPERATOR]


@pytest.mark.parametrize(
    ("name", "claim"), [("eq", True), ("eq", False), ("ne", False), ("contains", True), ("lt", True), ("add", True)]
)
def test_honest_claim_is_accepted(name: str, claim: bool) -> None:
    policy = make_policy(name)
    policy.verify_claim(name, int, claim, 5, Claims())
    assert policy.violation is None


def test_each_claim_is_verified_with_different_values_of_the_same_type() -> None:
    policy, claims = make_policy("eq"), Claims()
    policy.verify_claim("eq", int, True, 5, claims)
    policy.verify_claim("eq", int, True, 5, claims)
    numbers = [value for value in claims.operands if type(value) is int and value != 5]
    assert len(set(numbers)) == 2


class EqualsOneOperand:
    """Claims equality with one value only: the operand at position `turn`."""

    def __init__(self, turn: int) -> None:
        self.turn = turn
        self.operands: list[Any] = []

    def __call__(self, name: str, value: Any) -> Any:
        self.operands.append(value)
        return (value == (self.operands + [None] * 20)[self.turn]) is (name != "ne")


def claims_equality(policy: OperatorPolicy, other: Any, apply_operator: Any, name: str = "eq") -> bool:
    """Whether an object claims equality and passes the verification of the judge."""
    try:
        policy.verify_before_comparison(name, int, other, apply_operator)
        claim = apply_operator(name, other)
        policy.verify_claim(name, int, claim, other, apply_operator)
    except PolicyViolation:
        return False
    return bool(claim)


@pytest.mark.parametrize(
    "other", [5, 2.5, "five", [1, 2], (1,), 0, -2.0, {"a": 1}, {1, 2}, b"five", Decimal(5), date(2026, 1, 1)]
)
def test_object_cannot_predict_which_operand_is_the_expected_value(other: Any) -> None:
    policy = make_policy("eq")
    for turn in range(17):
        accepted = sum(claims_equality(policy, other, EqualsOneOperand(turn)) for _ in range(100))
        assert 0 < accepted < 25, turn  # one in 17
    assert [flag["code"] for flag in policy.flags].count(DISHONEST_OPERATOR) > 1_000


@pytest.mark.parametrize("rank", [0, 4, 8, 12, 16])
def test_expected_value_has_no_preferred_rank_among_the_operands(rank: int) -> None:
    class RecordsOperands:
        """Records its operands, and claims equality with none."""

        def __init__(self) -> None:
            self.operands: list[int] = []

        def __call__(self, name: str, value: Any) -> bool:
            self.operands.append(value)
            return False

    ranks = []
    for n in range(200):
        policy, ranked = make_policy("eq"), RecordsOperands()
        policy.begin_cell(["eq"], f"assert x == {n}")
        policy.verify_before_comparison("eq", int, n, ranked)
        ranks.append(sorted(ranked.operands).index(n))
    assert 0 < ranks.count(rank) < 40


@pytest.mark.parametrize("result", [1, "yes", [False], 2.5])
def test_result_that_is_merely_truthy_is_verified_as_a_claim(result: Any) -> None:
    policy = make_policy("eq")
    assert not claims_equality(policy, 5, lambda name, value: result)
    assert [flag["code"] for flag in policy.flags] == [DISHONEST_OPERATOR]


def test_elementwise_results_of_the_reference_are_accepted() -> None:
    recording = make_policy("eq", is_recording=True)
    assert claims_equality(recording, [5], lambda name, value: [True])
    assert claims_equality(make_policy(*recording.used_operators, "eq"), [5], lambda name, value: [True])


@pytest.mark.parametrize("other", [{1: 2}, {1}, b"5", Decimal(5), date(2026, 1, 1), Fraction(1, 3), 1j])
def test_object_that_equals_all_values_of_a_type_is_found(other: Any) -> None:
    assert not claims_equality(make_policy("eq"), other, lambda name, value: type(value) is type(other))


@pytest.mark.parametrize("other", [5, 2.5, True, "five", [1, 2], (1,), -2.0, float("inf"), "", [], None, {1: 2}])
def test_object_that_equals_one_value_is_accepted(other: Any) -> None:
    policy = make_policy("eq")
    assert all(
        claims_equality(policy, other, lambda name, value: (value == other) is (name == "eq")) for _ in range(50)
    )
    assert (
        not any(claims_equality(policy, other, lambda name, value: False) for _ in range(50))
        and policy.violation is None
    )


@pytest.mark.parametrize("modulus", [2, 3, 7])
def test_residue_classes_of_the_reference_are_accepted(modulus: int) -> None:
    def apply_operator(name: str, value: Any) -> bool:
        return type(value) is int and value % modulus == 5 % modulus

    recording = make_policy("eq", is_recording=True)
    assert [claims_equality(recording, 5, apply_operator) for _ in range(9)] == [True] * 9
    policy = make_policy(*recording.used_operators, "eq")
    assert [claims_equality(policy, 5, apply_operator) for _ in range(9)] == [True] * 9


def test_object_that_equals_all_small_numbers_is_found() -> None:
    policy = make_policy("eq")
    assert not any(
        claims_equality(policy, 146, lambda name, value: type(value) is int and abs(value) < 10**6) for _ in range(20)
    )
