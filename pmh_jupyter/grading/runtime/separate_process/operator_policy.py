"""Decides which operators a test cell may apply to the student's own objects, and verifies the claims of these objects.

An operator is allowed in a cell in which the reference solution used it or one of its family, and a comparison with plain data only in
the statements in which the reference made one. Everywhere else plain data is expected: an object that can claim to equal any value would
earn points, and would receive the expected value.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from typing import Any

from pmh_jupyter.grading.runtime.proxies.operators import IN_PLACE_OPERATORS, REFLECTED_OPERATORS, UNCHECKED_OPERATORS
from pmh_jupyter.grading.runtime.proxies.proxies import is_proxy
from pmh_jupyter.grading.runtime.separate_process.near_miss_values import near_misses, unique_values_like
from pmh_jupyter.grading.runtime.transport.result_fields import FlagFields

DISHONEST_OPERATOR = "dishonest-operator"
OBJECT_FOR_DATA = "object-for-data"
CODE_FOR_DATA = "code-for-data"
_OPERATOR_FAMILIES = (
    frozenset({"eq", "ne"}),
    frozenset({"lt", "le", "gt", "ge"}),
    frozenset({"bool", "len", "length_hint"}),
    frozenset({"int", "index", "float", "complex", "round", "trunc", "floor", "ceil"}),
)
_OPPOSITE = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt", "eq": "ne", "ne": "eq"}


class PolicyViolation(Exception):
    """An object of the student was used with an operator that is not allowed, or made a false claim.

    student_message: shown to the student.
    """

    def __init__(self, detail: str, student_message: str = "") -> None:
        super().__init__(detail)
        self.student_message = student_message


class CodeFromData(PolicyViolation):
    """A test tried to execute, in the judge, code that is not part of the release."""


class _UniqueObject:
    """Equals no value and is contained in none. An object that claims otherwise makes false claims."""


_ACTUAL_VALUE = object()  # placeholder for the value of the actual comparison


# Recorded about an operator of the reference, with the number of the statement: the other operand was plain data; or the reference
# itself makes a claim that is otherwise considered false (numbers modulo seven equal every seventh number).
WITH_PLAIN_DATA, UNUSUAL_CLAIM = "plain-data", "unusual-claim"
# The operator that verifies a claim of each operator.
_VERIFYING_OPERATORS = {"eq": "eq", "ne": "eq", "contains": "contains"}


def operator_family(name: str) -> frozenset[str]:
    """Return the operators that are allowed together with this one. `name` may be a usage key such as "eq plain-data 3"."""
    name, _, qualifier = name.partition(" ")
    if qualifier:
        return frozenset(f"{member} {qualifier}" for member in operator_family(name))
    base_name = name[1:] if name in REFLECTED_OPERATORS | IN_PLACE_OPERATORS else name
    for names in _OPERATOR_FAMILIES:
        if name in names:
            return names
    return frozenset({base_name, f"r{base_name}", f"i{base_name}"})


class OperatorPolicy:
    """The policy for one test cell at a time.

    violation: the first violation of the current statement. It counts even if the test catches the exception.
    """

    def __init__(self, *, is_recording: bool) -> None:
        self.is_recording = is_recording
        self.used_operators: set[str] = set()
        self.violation: PolicyViolation | None = None
        self.flags: list[FlagFields] = []
        self._allowed: frozenset[str] | None = None
        self._digest_key = b""
        self._statement_number = self._digits_count = 0
        self._claimed_equal: bool | None = None

    def begin_cell(self, operators: Iterable[str], source: str) -> None:
        """Start a test cell. operators: usage keys of the reference solution.

        The values that verify claims are derived from `source`, which the student process does not know.
        """
        self.used_operators, self.flags, self.violation = set(), [], None
        self._allowed = frozenset().union(*map(operator_family, operators))
        self._digest_key = hashlib.sha256(source.encode("utf-8", "replace")).digest()
        self._statement_number = self._digits_count = 0
        self._claimed_equal = None

    def begin_statement(self) -> None:
        """Start the next statement of the cell. The values that verify its claims do not depend on earlier statements."""
        self._statement_number, self._digits_count, self.violation = self._statement_number + 1, 0, None

    def end_cell(self) -> None:
        """End the test cell. The policy does not apply between test cells."""
        self._allowed = None

    def is_allowed(self, name: str) -> bool:
        """Return whether an operator is allowed."""
        return self.is_recording or self._allowed is None or name in self._allowed

    def check_operator(self, name: str, kind: type) -> None:
        """Record the use of an operator. Raises `PolicyViolation` if the reference has plain data there."""
        if name in UNCHECKED_OPERATORS or self._allowed is None:
            return
        self.used_operators.add(name)
        if not self.is_recording and name not in self._allowed:
            self._raise_violation(
                OBJECT_FOR_DATA,
                kind,
                f"an object of class {_class_name(kind)} where the reference gives plain data ({name})",
            )

    def allows_plain_data(self, name: str) -> bool:
        """Record a comparison with plain data in this statement, and return whether it is allowed.

        If the reference only compares objects with each other here, the object does not receive the value, and is not equal to it.
        """
        if self._allowed is None or name not in _OPPOSITE:
            return True
        usage_key = self._usage_key(name, WITH_PLAIN_DATA)
        self.used_operators.add(usage_key)
        return self.is_recording or name not in self._allowed or usage_key in self._allowed

    def _usage_key(self, name: str, qualifier: str) -> str:
        return f"{name} {qualifier} {self._statement_number}"

    def verify_before_comparison(
        self, name: str, kind: type, other: Any, apply_operator: Callable[[str, Any], Any]
    ) -> None:
        """Compare an object with similar values and with the actual one, in an unpredictable order, before a comparison with plain data.

        An object that claims to equal a single value has to guess which of them is the expected one. Raises `PolicyViolation`.
        """
        self._claimed_equal = None
        if name not in ("eq", "ne") or is_proxy(other) or not self._needs_verification(name):
            return
        hex_digits = self._unpredictable_digits()
        candidates = [*near_misses(other, hex_digits), _ACTUAL_VALUE]
        random.Random(hex_digits[::-1]).shuffle(candidates)
        for value in candidates if len(candidates) > 1 else ():
            is_claimed = _is_claimed(apply_operator, "eq", other if value is _ACTUAL_VALUE else value)
            if value is _ACTUAL_VALUE:
                self._claimed_equal = is_claimed
            elif is_claimed:
                self._report_false_claim(name, kind, "claims equality with a different value")

    def verify_claim(
        self, name: str, kind: type, claim: Any, other: Any, apply_operator: Callable[[str, Any], Any]
    ) -> None:
        """Verify a claim that cannot be true of every value. apply_operator: applies an operator to the same object.

        Raises `PolicyViolation`.
        """
        claimed_equal, self._claimed_equal = self._claimed_equal, None
        if name not in ("contains", *_OPPOSITE) or claim is NotImplemented or not self._needs_verification(name):
            return
        if self.is_recording and type(claim) is not bool:  # for example element by element
            self.used_operators.add(self._usage_key(name, UNUSUAL_CLAIM))
            return
        is_true = _is_true(claim)
        if name in _VERIFYING_OPERATORS and is_true is not (name == "ne"):
            verifying_operator = _VERIFYING_OPERATORS[name]
            if claimed_equal is False:
                self._report_false_claim(name, kind, "claims equality that it denied before")
            if any(_is_claimed(apply_operator, verifying_operator, value) for value in self._unique_values(other)):
                self._report_false_claim(name, kind, f"claims to {_CLAIM_VERBS[verifying_operator]} everything")
        if name in _OPPOSITE and is_true and _is_claimed(apply_operator, _OPPOSITE[name], other):
            self._report_false_claim(name, kind, f"contradicts itself ({name})")

    def _needs_verification(self, name: str) -> bool:
        return self._allowed is not None and self._usage_key(name, UNUSUAL_CLAIM) not in self._allowed

    def _report_false_claim(self, name: str, kind: type, detail: str) -> None:
        """Record a false claim of the reference's objects, or raise a violation for those of a submission."""
        if self.is_recording:
            self.used_operators.add(self._usage_key(name, UNUSUAL_CLAIM))
        else:
            self._raise_violation(DISHONEST_OPERATOR, kind, f"an object of class {_class_name(kind)} that {detail}")

    def _unpredictable_digits(self) -> str:
        """Return hexadecimal digits that the student process cannot predict, different ones each time."""
        self._digits_count += 1
        return hashlib.sha256(self._digest_key + f"{self._statement_number} {self._digits_count}".encode()).hexdigest()

    def _unique_values(self, other: Any) -> list[Any]:
        """Return values that have not been compared before, one of them of the type of `other`."""
        hex_digits = self._unpredictable_digits()
        return [_UniqueObject(), *(unique_values_like(other, hex_digits) or [hex_digits])]

    def record_code_violation(self, detail: str) -> CodeFromData:
        """Record that data of the student would have been executed here. Returns the exception to raise. See `code_execution_policy`."""
        self.flags.append({"code": CODE_FOR_DATA, "detail": detail[:200]})
        violation = CodeFromData(detail[:200], _STUDENT_MESSAGES[CODE_FOR_DATA])
        self.violation = self.violation or violation
        return violation

    def _raise_violation(self, code: str, kind: type, detail: str) -> None:
        self.flags.append({"code": code, "detail": detail[:200]})
        violation = PolicyViolation(detail[:200], _STUDENT_MESSAGES[code].format(_class_name(kind)))
        self.violation = self.violation or violation
        raise violation


_STUDENT_MESSAGES = {
    OBJECT_FOR_DATA: "has an object of your class {} where plain data is expected (a number, a text, a list, …).",
    CODE_FOR_DATA: "would run your answer as code, but plain data is expected.",
    DISHONEST_OPERATOR: "has an object of your class {} whose comparison methods contradict themselves.",
}
_CLAIM_VERBS = {"eq": "equal", "contains": "contain"}


def _is_claimed(apply_operator: Callable[[str, Any], Any], name: str, value: Any) -> bool:
    try:
        return _is_true(apply_operator(name, value))
    except Exception:  # noqa: BLE001 - an operator of the student may raise anything
        return False


def _is_true(claim: Any) -> bool:
    """Return whether an assertion would accept this. Assumed for objects of the student and for values without a truth value."""
    if claim is NotImplemented:
        return False
    try:
        return is_proxy(claim) or bool(claim)
    except Exception:  # noqa: BLE001 - an array has no truth
        return True


def _class_name(kind: type) -> str:
    name: str = type.__getattribute__(kind, "__name__")
    return name[:80]
