"""Which operators are allowed, and what is believed."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.grading.inside.apart.rules import LYING, OBJECT, Denied, Rules, family


def rules(*operators: str, record: bool = False) -> Rules:
    made = Rules(record=record)
    made.begin(operators, "assert x")
    return made


@pytest.mark.parametrize(
    ("name", "others"),
    [("eq", {"ne"}), ("lt", {"ge", "le", "gt"}), ("add", {"radd", "iadd"}), ("rsub", {"sub"}), ("bool", {"len"})],
)
def test_relatives_are_allowed_together(name: str, others: set[str]) -> None:
    assert others | {name} <= family(name)


def test_an_operator_that_the_reference_did_not_use_is_denied_and_stays_so() -> None:
    made = rules("lt")
    made.allow("le", int)
    with pytest.raises(Denied, match="class int where the reference gives plain data"):
        made.allow("eq", int)
    assert made.denial is not None and [flag["code"] for flag in made.flags] == [OBJECT]


@pytest.mark.parametrize("name", ["call", "str", "iter", "enter"])
def test_what_tells_nothing_is_always_allowed(name: str) -> None:
    rules().allow(name, int)


def test_at_release_all_is_allowed_and_noted() -> None:
    made = rules(record=True)
    made.allow("eq", int)
    assert made.used == {"eq"} and made.denial is None


def test_outside_of_a_test_cell_nothing_is_ruled_on() -> None:
    made = rules()
    made.end()
    made.allow("eq", int)


class Claims:
    """Says of each operator what the table says, or False."""

    def __init__(self, **table: Any) -> None:
        self.table = table
        self.asked: list[Any] = []

    def __call__(self, name: str, value: Any) -> Any:
        self.asked.append(value)
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
def test_a_claim_that_could_not_be_true_is_denied(name: str, claim: bool, table: dict[str, bool]) -> None:
    made = rules(name)
    with pytest.raises(Denied):
        made.believe(name, int, claim, 5, Claims(**table))
    assert [flag["code"] for flag in made.flags] == [LYING]


@pytest.mark.parametrize(
    ("name", "claim"), [("eq", True), ("eq", False), ("ne", False), ("contains", True), ("lt", True), ("add", True)]
)
def test_an_honest_claim_is_believed(name: str, claim: bool) -> None:
    made = rules(name)
    made.believe(name, int, claim, 5, Claims())
    assert made.denial is None


def test_a_claim_is_tried_with_other_values_of_the_same_kind_each_time() -> None:
    made, claims = rules("eq"), Claims()
    made.believe("eq", int, True, 5, claims)
    made.believe("eq", int, True, 5, claims)
    numbers = [value for value in claims.asked if type(value) is int and value != 5]
    assert len(set(numbers)) == 2
