"""Tests what an object of the notebook's own classes claims about equality and order, where the contract lets it decide.

Claims are verified as properties: the object is asked again, about unpredictable values in random order, and its answers must be
consistent. An object that contradicts itself fails the test.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from typing import Any, NamedTuple

from pmh_jupyter.grading.runtime.proxies.operators import COMPARISON_OPERATORS, OPPOSITE_OPERATORS
from pmh_jupyter.grading.runtime.proxies.proxies import defines_operator_with, find_value_base, has_operator, is_proxy
from pmh_jupyter.grading.runtime.separate_process.claims.near_miss_values import (
    create_near_misses,
    create_similar_calls,
    create_unique_value,
    is_equal,
)
from pmh_jupyter.grading.runtime.separate_process.contract.contract import Contract
from pmh_jupyter.grading.runtime.test_cells.contract_entries import ClaimDetail, ClaimProperty, Use
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

# Applies an operator to an object and another operand. Raises whatever the student's method raises.
ApplyOperator = Callable[[Any, str, Any], Any]

# What an object without a property does, for staff.
_VIOLATIONS = {
    ClaimProperty.DENIES_SIMILAR_VALUES: "claims equality with a different value",
    ClaimProperty.DENIES_UNIQUE_VALUE: "claims to equal or contain everything",
    ClaimProperty.REPEATABLE: "claims equality that it denied before",
    ClaimProperty.CONSTANT_TRUTH: "is true and false",
    ClaimProperty.CONTRADICTS_OPPOSITE: "contradicts itself",
    ClaimProperty.SYMMETRIC: "equals an object that does not equal it",
    ClaimProperty.SELECTIVE: "equals every object of its class",
    ClaimProperty.ANTISYMMETRIC: "is less and greater than the same object",
    ClaimProperty.MIRRORED: "is less than an object that is not greater",
    ClaimProperty.TOTAL: "has no order",
}
_VERIFIED_OPERATORS = COMPARISON_OPERATORS | {"contains"}
# The operator that tests a claim of each operator.
_VERIFYING_OPERATORS = {"eq": "eq", "ne": "eq", "contains": "contains"}
# Per test cell: classes, and objects of each that others are compared with.
MAX_SEEN_CLASSES, MAX_SEEN_OBJECTS = 40, 8
MAX_OTHER_OBJECTS, DECOY_COUNT = 3, 4
# Per place, because sorting makes many claims: all of the first ones are verified, then a random part that decreases, then none.
MAX_COMPLETE_CHECKS, MAX_CHECKS = 25, 2_000


class _ConstructedObject(NamedTuple):
    """An object that the test has constructed.

    places: those of the calls that have constructed it and its arguments. decoys: objects that were constructed with similar arguments.
    """

    value: Any
    places: tuple[str, ...]
    decoys: list[Any]


class ClaimVerifier:
    """Verifies the claims of objects in one test cell at a time.

    apply_operator: asks an object. discard_output: discards the output of the student's code in a `with` block.
    """

    def __init__(
        self,
        contract: Contract,
        apply_operator: ApplyOperator,
        discard_output: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.contract, self.apply_operator, self.discard_output = contract, apply_operator, discard_output
        self._secret, self._order_secret = b"", ""
        # By what digits are made for: how often they have been made.
        self._digit_counts: Counter[str] = Counter()
        self._seen_objects: dict[type, list[Any]] = {}
        # By the id of an object.
        self._constructed: dict[int, _ConstructedObject] = {}
        self._check_counts: Counter[str] = Counter()

    def begin_cell(self, source: str, earlier_sources: Iterable[str] = ()) -> None:
        """Start a test cell.

        The values that are asked about are derived from its source, which the student process does not know: they are the same for all
        submissions. The order of the questions also depends on the earlier cells, so it cannot be found by trial and error.
        """
        self._secret = hashlib.sha256(source.encode("utf-8", "replace")).digest()
        all_sources = "\0".join((source, *earlier_sources))
        self._order_secret = hashlib.sha256(all_sources.encode("utf-8", "replace")).hexdigest()
        self._digit_counts.clear()
        self._check_counts.clear()
        self._seen_objects, self._constructed = {}, {}

    def call_with_decoys(
        self, call: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any], place: str
    ) -> Any:
        """Construct an object of the notebook, with its class or a class method.

        Where the reference's was compared with equal ones, decoys are constructed, too, with similar arguments.

        An answer must not equal a decoy. An answer that equals whichever object is constructed last does not know which one this is,
        because their order is unpredictable. Raises what the call raises, and `ContractViolation` if different arguments give the same
        data where the reference has objects.
        """
        similar_calls = []
        order_rng = random.Random(f"{self._order_secret} {place} {len(self._constructed)}")
        if self.contract.has_entry(Use.COMPARE_CONSTRUCTED, place=place) and self._is_checked(
            "decoys", place, self._secret.hex()
        ):
            rng = random.Random(f"{self._secret.hex()} decoys {place} {self._check_counts[f'decoys {place}']}")
            count_before = order_rng.randrange(1, DECOY_COUNT)
            counts = count_before, DECOY_COUNT - count_before
            similar_calls = create_similar_calls(arguments, keywords, rng, counts, self._list_decoys)
        actual_position = order_rng.randrange(len(similar_calls) + 1)
        decoys = self._create_decoys(call, similar_calls[:actual_position])
        value = call(arguments, keywords)
        decoys += self._create_decoys(call, similar_calls[actual_position:])
        data_decoys = [decoy for decoy in decoys if _is_compared_as_data(decoy)]
        if any(type(decoy) is type(value) and is_equal(decoy, value) for decoy in data_decoys):
            class_name = get_class_name(value)
            detail = f"the same value of class {class_name} in place of different objects"
            raise self.contract.observations.make_violation(TestReason.DISHONEST_OPERATOR, class_name, detail)
        if is_proxy(value):
            live_decoys = [decoy for decoy in decoys if not _is_compared_as_data(decoy)]
            argument_places = self._list_argument_places(arguments, keywords)
            self._constructed[id(value)] = _ConstructedObject(value, (place, *argument_places), live_decoys)
        return value

    def _list_argument_places(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> list[str]:
        """Return the places where the test has constructed the arguments. Their decoys are arguments of the decoys of the object."""
        values = (*arguments, *keywords.values())
        items = [item for value in values for item in (value if isinstance(value, list | tuple) else (value,))]
        return [
            place for item in items if id(item) in self._constructed for place in self._constructed[id(item)].places
        ]

    def _is_checked(self, purpose: str, place: str, secret: str) -> bool:
        """Return whether the properties of the next claim at a place are verified. Those of the reference's are, for all submissions."""
        key = f"{purpose} {place}"
        self._check_counts[key] += 1
        count = self._check_counts[key]
        if count <= MAX_COMPLETE_CHECKS or (self.contract.is_recording and count <= MAX_CHECKS):
            return True
        return count <= MAX_CHECKS and random.Random(f"{secret} {key} {count}").random() < MAX_COMPLETE_CHECKS / count

    def _create_decoys(
        self, call: Callable[..., Any], similar_calls: list[tuple[tuple[Any, ...], dict[str, Any]]]
    ) -> list[Any]:
        decoys = []
        for arguments, keywords in similar_calls:
            with self.discard_output(), suppress(Exception):  # the class may validate its arguments
                decoys.append(call(arguments, keywords))
        return decoys

    def _record_constructed(self, target: Any, other: Any) -> None:
        for compared in (target, other) if is_proxy(other) else ():
            for place in self._constructed[id(compared)].places if id(compared) in self._constructed else ():
                self.contract.admit(Use.COMPARE_CONSTRUCTED, place=place)

    def _list_decoys(self, value: Any) -> list[Any]:
        """Return the decoys of an object that the test has constructed."""
        return self._constructed[id(value)].decoys if id(value) in self._constructed else []

    def ask_decoys(self, operator: str, target: Any, other: Any, place: str) -> bool | None:
        """Ask an object about similar values and about the actual one, in an unpredictable order, before a comparison.

        An object that claims to equal a single value has to guess which of them is the expected one. Of two objects of one class, one may
        be asked about other objects of the class, or the other one about it. Returns whether the object claims to equal the actual value;
        None if it was not asked. Raises `ContractViolation`.
        """
        if not self.contract.is_active:
            return None
        if operator in ("eq", "ne"):
            return self._ask_about_equality(operator, target, other, place)
        if operator in OPPOSITE_OPERATORS and type(other) is type(target):
            if int(self._make_digits("order", place)[0], 16) % 2:
                self._claims(other, operator, target)
        return None

    def _ask_about_equality(self, operator: str, target: Any, other: Any, place: str) -> bool | None:
        hex_digits = self._make_digits("near", place)
        rng = random.Random(f"{hex_digits} {self._order_secret}")
        if is_proxy(other):
            decoys = [(target, decoy) for decoy in self._list_decoys(other)]
            decoys += [(decoy, other) for decoy in self._list_decoys(target)]
            is_checked = self._is_checked("others", place, self._order_secret)
            others = self._list_other_objects(target, other) if is_checked else []
        else:
            decoys, others = [(target, value) for value in create_near_misses(other, hex_digits)], []
        sampled_others = rng.sample(others, min(len(others), MAX_OTHER_OBJECTS))
        actual = target, other
        questions = [actual, *decoys, *((target, each) for each in sampled_others)]
        rng.shuffle(questions)
        if len(questions) == 1:
            return None
        claims = [question for question in questions if self._claims(question[0], "eq", question[1])]
        claims_actual = any(question is actual for question in claims)
        equal_decoys = [decoy for decoy in decoys if any(question is decoy for question in claims)]
        # A wrong answer may well equal one of them, and so may the objects in a list that is searched.
        is_honest = not equal_decoys or (not claims_actual and (is_proxy(other) or len(equal_decoys) == 1))
        if not is_honest and is_proxy(other):
            # Similar arguments may make an equal object: `Date.parse("2024-01-15")` may accept other separators.
            distinct_decoys = [decoy for decoy in decoys if not self._is_equal_to_actual(decoy, actual)]
            equal_ids = set(map(id, equal_decoys))
            is_honest = bool(distinct_decoys) and equal_ids.isdisjoint(map(id, distinct_decoys))
        if not is_honest:
            self._report(operator, target, place, ClaimProperty.DENIES_SIMILAR_VALUES)
        return claims_actual

    def _is_equal_to_actual(self, decoy: tuple[Any, Any], actual: tuple[Any, Any]) -> bool:
        """Return whether a decoy equals the object that was constructed with it."""
        is_of_target = decoy[1] is actual[1]
        return self._claims(decoy[0], "eq", actual[0]) if is_of_target else self._claims(decoy[1], "eq", actual[1])

    def verify_truth(self, target: Any, claim: Any, ask_again: Callable[[], Any], place: str) -> None:
        """Verify that the truth value of an object is the same when asked again. Raises `ContractViolation`."""
        if self.contract.is_active and bool(ask_again()) is not bool(claim):
            self._report("bool", target, place, ClaimProperty.CONSTANT_TRUTH)

    def verify(
        self, operator: str, target: Any, claim: Any, other: Any, place: str, claimed_equal: bool | None = None
    ) -> None:
        """Verify a claim that cannot be true of every value. Raises `ContractViolation`.

        claimed_equal: what `ask_decoys` has returned.
        """
        if operator not in _VERIFIED_OPERATORS or claim is NotImplemented or not self.contract.is_active:
            return
        is_true = _is_true(claim)
        if operator in _VERIFYING_OPERATORS and is_true is not (operator == "ne"):
            self._record_constructed(target, other)
            if claimed_equal is False:
                self._report(operator, target, place, ClaimProperty.REPEATABLE)
            unique_value = create_unique_value(other, self._make_digits("unique", place))
            if self._claims(target, _VERIFYING_OPERATORS[operator], unique_value):
                self._report(operator, target, place, ClaimProperty.DENIES_UNIQUE_VALUE)
        if is_true and self._claims_opposite(operator, target, other):
            self._report(operator, target, place, ClaimProperty.CONTRADICTS_OPPOSITE)
        if type(other) is type(target):
            self._verify_relation(operator, target, is_true, other, place)

    def _verify_relation(self, operator: str, target: Any, is_true: bool, other: Any, place: str) -> None:
        """Verify equality or order of two objects of one class."""
        if not self._is_checked("relations", place, self._order_secret):
            return
        if operator == "eq" and is_true:
            self._verify_equality(target, other, place)
        elif operator in ("lt", "gt"):
            self._verify_order(operator, target, is_true, other, place)

    def _verify_equality(self, target: Any, other: Any, place: str) -> None:
        """Verify that equality of two objects of one class is symmetric, and distinguishes other objects of the test cell.

        The last property is required only if the reference's equality has it.
        """
        if not self._claims(other, "eq", target):
            self._report("eq", target, place, ClaimProperty.SYMMETRIC)
        others = self._list_other_objects(target, other)
        if others and not all(self._claims(target, "eq", each) for each in others):
            self.contract.admit(Use.OPERATOR, "eq", ClaimDetail.DISTINGUISHES, place=place)
        elif others and self.contract.has_entry(Use.OPERATOR, "eq", ClaimDetail.DISTINGUISHES, place=place):
            self._report("eq", target, place, ClaimProperty.SELECTIVE)

    def _list_other_objects(self, *objects: Any) -> list[Any]:
        """Return the other objects of the class of the first one that the test cell has received."""
        return [
            each for each in self._seen_objects.get(type(objects[0]), ()) if all(each is not known for known in objects)
        ]

    def _verify_order(self, operator: str, target: Any, is_true: bool, other: Any, place: str) -> None:
        """Verify that of two objects of one class, at most one is less than the other; exactly one, unless the reference has ties here."""
        is_reverse_true = self._claims(other, operator, target)
        if is_true and is_reverse_true:
            self._report(operator, target, place, ClaimProperty.ANTISYMMETRIC)
        mirrored_operator = {"lt": "gt", "gt": "lt"}[operator]
        if defines_operator_with(type(other), mirrored_operator, operator):
            if self._claims(other, mirrored_operator, target) is not is_true:
                self._report(operator, target, place, ClaimProperty.MIRRORED)
        is_tied = not is_true and not is_reverse_true
        may_tie = not is_tied or self._may_lack(operator, place, ClaimProperty.TOTAL)
        if not may_tie and not self._are_equal_or_ordered(operator, target, other):
            self._report(operator, target, place, ClaimProperty.TOTAL)

    def _are_equal_or_ordered(self, operator: str, target: Any, other: Any) -> bool:
        """Return whether two tied objects are equal, or one of them is ordered with a third object, as tasks of equal urgency are."""
        return self._claims(target, "eq", other) or any(
            self._claims(target, operator, each) or self._claims(each, operator, target)
            for each in self._list_other_objects(target, other)
        )

    def record_object(self, value: Any) -> None:
        """Record an object of the notebook that a test cell has received."""
        objects = self._seen_objects.setdefault(type(value), [])
        if len(objects) < MAX_SEEN_OBJECTS and len(self._seen_objects) <= MAX_SEEN_CLASSES:
            objects.append(value)

    def _report(self, operator: str, target: Any, place: str, claim_property: ClaimProperty) -> None:
        """Report an object without a property. Raises `ContractViolation`, unless the reference's objects lack it, too."""
        if not self._may_lack(operator, place, claim_property):
            class_name = get_class_name(target)
            detail = f"an object of class {class_name} that {_VIOLATIONS[claim_property]} ({operator})"
            raise self.contract.observations.make_violation(TestReason.DISHONEST_OPERATOR, class_name, detail)

    def _may_lack(self, operator: str, place: str, claim_property: ClaimProperty) -> bool:
        """Record that the reference's objects lack a property, or return whether they do."""
        return self.contract.admit(Use.OPERATOR, operator, ClaimDetail.LACKS, claim_property, place=place)

    def _claims_opposite(self, operator: str, target: Any, value: Any) -> bool:
        """Return whether an object also claims the opposite.

        It is asked only if its class defines both operators: a class that derives from another one, such as `str`, may define `==` alone.
        """
        opposite = OPPOSITE_OPERATORS.get(operator)
        return (
            opposite is not None
            and defines_operator_with(type(target), opposite, operator)
            and self._claims(target, opposite, value)
        )

    def _claims(self, target: Any, operator: str, value: Any) -> bool:
        try:
            return _is_true(self.apply_operator(target, operator, value))
        except Exception:  # noqa: BLE001 - an operator of the student may raise anything
            return False

    def _make_digits(self, purpose: str, place: str) -> str:
        """Return hexadecimal digits that the student process cannot predict, different ones each time.

        They do not depend on digits for another purpose, place or statement. Otherwise, a submission that behaves differently there would
        be asked about values that the reference was not asked about, and the reference's unusual claims would not be known.
        """
        key = f"{purpose} {place} {self.contract.observations.statement_line}"
        self._digit_counts[key] += 1
        return hashlib.sha256(self._secret + f"{key} {self._digit_counts[key]}".encode()).hexdigest()


def _is_compared_as_data(value: Any) -> bool:
    """Return whether the judge compares this value itself: it is data, or an object of a class that derives from a plain type."""
    return not is_proxy(value) or (find_value_base(type(value)) is not None and not has_operator(type(value), "eq"))


def get_class_name(target: Any) -> str:
    """Return the name of a proxy's class, or of a proxy class. A name that no `class` statement can give is quoted."""
    cls = target if isinstance(target, type) else type(target)
    name: str = type.__getattribute__(cls, "__name__")
    return name[:80] if name.isidentifier() else ascii(name[:80])


def _is_true(claim: Any) -> bool:
    """Return whether an assertion would accept this claim; for an array, whether it would accept all elements.

    Assumed for objects of the student and for values without a truth value.
    """
    if claim is NotImplemented:
        return False
    try:
        return is_proxy(claim) or bool(claim)
    except Exception:  # noqa: BLE001 - an array has no truth
        numpy = sys.modules.get("numpy")
        elements = numpy.asarray(claim) if numpy is not None else None
        return elements is None or elements.dtype != bool or (elements.size > 0 and bool(elements.all()))
