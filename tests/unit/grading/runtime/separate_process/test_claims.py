"""Which claims of the student's objects are accepted, where the contract lets them decide about equality and order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.separate_process.claims.claim_verifier import ClaimVerifier
from pmh_jupyter.grading.runtime.separate_process.contract.contract import Contract, RecordingContract
from pmh_jupyter.grading.runtime.separate_process.contract.observations import ContractViolation
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

PLACE = "1:7-1:13"
TARGET = object()


def make_verifier(
    apply_operator: Callable[[str, Any], Any], *entries: str, is_recording: bool = False, source: str = "assert x"
) -> ClaimVerifier:
    """Make a verifier of one object, whose operators are given."""
    contract = RecordingContract() if is_recording else Contract()
    contract.begin_cell(entries)
    verifier = ClaimVerifier(contract, lambda target, name, value: apply_operator(name, value), nullcontext)
    verifier.begin_cell(source)
    return verifier


def list_recorded_entries(verifier: ClaimVerifier) -> set[str]:
    assert isinstance(verifier.contract, RecordingContract)
    return verifier.contract.recorded_entries


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
    verifier = make_verifier(Claims(**table))
    with pytest.raises(ContractViolation):
        verifier.verify(name, TARGET, claim, 5, PLACE)
    assert [flag["code"] for flag in verifier.contract.observations.flag_collector.flags] == [
        TestReason.DISHONEST_OPERATOR
    ]


@pytest.mark.parametrize(
    ("name", "claim"), [("eq", True), ("eq", False), ("ne", False), ("contains", True), ("lt", True), ("add", True)]
)
def test_honest_claim_is_accepted(name: str, claim: bool) -> None:
    verifier = make_verifier(Claims())
    verifier.verify(name, TARGET, claim, 5, PLACE)
    assert verifier.contract.observations.violation is None


def test_each_claim_is_verified_with_different_values_of_the_same_type() -> None:
    claims = Claims()
    verifier = make_verifier(claims)
    verifier.verify("eq", TARGET, True, 5, PLACE)
    verifier.verify("eq", TARGET, True, 5, PLACE)
    numbers = [value for value in claims.operands if type(value) is int and value != 5]
    assert len(set(numbers)) == 2


def test_values_of_a_statement_do_not_depend_on_claims_in_earlier_statements() -> None:
    values = []
    for earlier_claims in (0, 3):
        claims = Claims()
        verifier = make_verifier(claims)
        for _ in range(earlier_claims):
            claims_equality(verifier, 5)
        verifier.contract.observations.begin_statement(2)
        claims.operands.clear()
        claims_equality(verifier, 5)
        values.append(claims.operands)
    assert values[0] == values[1]


class EqualsOneOperand:
    """Claims equality with one value only: the operand at position `turn`."""

    def __init__(self, turn: int) -> None:
        self.turn = turn
        self.operands: list[Any] = []

    def answer(self, target: Any, name: str, value: Any) -> Any:
        self.operands.append(value)
        is_turn = len(self.operands) > self.turn and value == self.operands[self.turn]
        return not is_turn if name == "ne" else is_turn


def claims_equality(verifier: ClaimVerifier, other: Any) -> bool:
    """Return whether an object claims equality and passes the verification of the judge."""
    try:
        claimed_equal = verifier.ask_decoys("eq", TARGET, other, PLACE)
        claim = verifier.apply_operator(TARGET, "eq", other)
        verifier.verify("eq", TARGET, claim, other, PLACE, claimed_equal)
    except ContractViolation:
        return False
    return bool(claim)


@pytest.mark.parametrize(
    "other", [5, 2.5, "five", [1, 2], (1,), 0, -2.0, {"a": 1}, {1, 2}, b"five", Decimal(5), date(2026, 1, 1)]
)
def test_object_cannot_predict_which_operand_is_the_expected_value(other: Any) -> None:
    verifier = make_verifier(Claims())
    for turn in range(17):
        accepted = 0
        for _ in range(100):
            equals_one_operand = EqualsOneOperand(turn)
            verifier.apply_operator = equals_one_operand.answer
            accepted += claims_equality(verifier, other)
        assert 0 < accepted < 25, turn  # one in 17
    assert not verifier.contract.observations.flag_collector.flags, (
        "a wrong answer may equal one of the similar values, too"
    )


@pytest.mark.parametrize("denied_value", [5, None])
def test_object_that_equals_several_similar_values_is_a_violation(denied_value: int | None) -> None:
    verifier = make_verifier(lambda name, value: value != denied_value)
    with pytest.raises(ContractViolation):
        verifier.ask_decoys("eq", TARGET, 5, PLACE)


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
        ranked = RecordsOperands()
        make_verifier(ranked, source=f"assert x == {n}").ask_decoys("eq", TARGET, n, PLACE)
        ranks.append(sorted(ranked.operands).index(n))
    assert 0 < ranks.count(rank) < 40


@pytest.mark.parametrize("result", [1, "yes", [False], 2.5])
def test_result_that_is_merely_truthy_is_verified_as_a_claim(result: Any) -> None:
    verifier = make_verifier(lambda name, value: result)
    assert not claims_equality(verifier, 5)
    assert [flag["code"] for flag in verifier.contract.observations.flag_collector.flags] == [
        TestReason.DISHONEST_OPERATOR
    ]


@pytest.mark.parametrize("other", [{1: 2}, {1}, b"5", Decimal(5), date(2026, 1, 1), Fraction(1, 3), 1j])
def test_object_that_equals_all_values_of_a_type_is_found(other: Any) -> None:
    assert not claims_equality(make_verifier(lambda name, value: type(value) is type(other)), other)


@pytest.mark.parametrize("other", [5, 2.5, True, "five", [1, 2], (1,), -2.0, float("inf"), "", [], None, {1: 2}])
def test_object_that_equals_one_value_is_accepted(other: Any) -> None:
    verifier = make_verifier(lambda name, value: (value == other) is (name == "eq"))
    assert all(claims_equality(verifier, other) for _ in range(50))
    denies_everything = make_verifier(lambda name, value: False)
    assert not any(claims_equality(denies_everything, other) for _ in range(50))
    assert verifier.contract.observations.violation is denies_everything.contract.observations.violation is None


@pytest.mark.parametrize("modulus", [2, 3, 7])
def test_residue_classes_of_the_reference_are_accepted(modulus: int) -> None:
    def apply_operator(name: str, value: Any) -> bool:
        return type(value) is int and value % modulus == 5 % modulus

    recording = make_verifier(apply_operator, is_recording=True)
    assert [claims_equality(recording, 5) for _ in range(9)] == [True] * 9
    verifier = make_verifier(apply_operator, *list_recorded_entries(recording))
    assert [claims_equality(verifier, 5) for _ in range(9)] == [True] * 9


def test_object_that_equals_all_small_numbers_is_found() -> None:
    verifier = make_verifier(lambda name, value: type(value) is int and abs(value) < 10**6)
    assert not any(claims_equality(verifier, 146) for _ in range(20))


@pytest.mark.parametrize("distinguished", [True, False])
def test_two_objects_may_tie_if_the_order_tells_them_from_another(distinguished: bool) -> None:
    objects = [TARGET, object(), object()]
    verifier = make_verifier(lambda name, value: False)
    for each in objects:
        verifier.record_object(each)
    verifier.apply_operator = lambda target, name, value: distinguished and (name, value) == ("lt", objects[2])
    try:
        verifier.verify("lt", objects[0], False, objects[1], PLACE)
    except ContractViolation:
        assert not distinguished
    else:
        assert distinguished


def construct_with_decoys(results: dict[int, Any], *entries: str) -> tuple[list[int], ClaimVerifier]:
    """Construct an object from the number 5. results: by the number. Returns the numbers in the order of the calls."""
    verifier = make_verifier(Claims(), *entries)
    numbers: list[int] = []

    def call(arguments: tuple[int], keywords: dict[str, Any]) -> Any:
        numbers.append(arguments[0])
        return results.get(arguments[0], "same")

    verifier.call_with_decoys(call, (5,), {}, PLACE)
    return numbers, verifier


def test_similar_objects_are_constructed_only_where_the_reference_compared_one() -> None:
    assert construct_with_decoys({})[0] == [5]
    numbers, _ = construct_with_decoys({5: "other"}, f"{PLACE} compare-constructed")
    assert len(numbers) == 5
    assert numbers.count(5) == 1


def test_same_data_in_place_of_different_objects_is_a_violation() -> None:
    with pytest.raises(ContractViolation):
        construct_with_decoys({5: "same"}, f"{PLACE} compare-constructed")
