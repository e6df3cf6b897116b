"""Which operators a test cell may use on the student's own objects, and what is believed of those that it may.

An operator is allowed in a cell where the reference solution used it or one of its family, and a comparison with plain data in the very
statements in which the reference made one. Elsewhere plain data is expected: an object that decides by itself what it equals
would earn points, and would be told what it is compared with.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from typing import Any

from pmh_jupyter.grading.runtime.proxies.operators import IN_PLACE_OPERATORS, REFLECTED_OPERATORS, UNCHECKED_OPERATORS
from pmh_jupyter.grading.runtime.proxies.proxies import is_proxy
from pmh_jupyter.grading.runtime.separate_process.near_miss_values import near_misses, unique_values_like

LYING_OPERATOR = "dishonest-operator"
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
    """An operator on an object of the student's that this cell does not allow, or that lies. `said`: to the student."""

    def __init__(self, detail: str, student_message: str = "") -> None:
        super().__init__(detail)
        self.student_message = student_message


class CodeFromData(PolicyViolation):
    """A test would have run, in the judge, what it does not say itself."""


class _UniqueObject:
    """Equal to nothing and in nothing: whoever says otherwise says so of everything."""


_ACTUAL_VALUE = object()  # stands for what an object is really asked about


# What is noted of an operator of the reference's beside its name, with the number of the check in which it was so: that plain data
# stood on the other side, and that it claims of values what is taken for a lie elsewhere (numbers modulo seven equal every
# seventh one).
WITH_PLAIN_DATA, UNUSUAL_CLAIM = "plain-data", "unusual-claim"
# What an object is asked about strangers to try a claim.
_VERIFYING_OPERATORS = {"eq": "eq", "ne": "eq", "contains": "contains"}


def operator_family(name: str) -> frozenset[str]:
    """The operators that are allowed together with this one."""
    name, _, qualifier = name.partition(" ")
    if qualifier:
        return frozenset(f"{member} {qualifier}" for member in operator_family(name))
    base_name = name[1:] if name in REFLECTED_OPERATORS | IN_PLACE_OPERATORS else name
    for names in _OPERATOR_FAMILIES:
        if name in names:
            return names
    return frozenset({base_name, f"r{base_name}", f"i{base_name}"})


class OperatorPolicy:
    """The rules of one test cell at a time. `denial` is the first breach since `begin`; it stands even if the test caught it."""

    def __init__(self, *, is_recording: bool) -> None:
        self.is_recording = is_recording
        self.used_operators: set[str] = set()
        self.violation: PolicyViolation | None = None
        self.flags: list[dict[str, str]] = []
        self._allowed: frozenset[str] | None = None
        self._digest_key = b""
        self._check_number = self._digits_count = 0
        self._claimed_equal: bool | None = None

    def begin_cell(self, operators: Iterable[str], source: str) -> None:
        """A test cell begins. Nobody over there knows its `source`, from which the values come that claims are tried against."""
        self.used_operators, self.flags, self.violation = set(), [], None
        self._allowed = frozenset().union(*map(operator_family, operators))
        self._digest_key = hashlib.sha256(source.encode("utf-8", "replace")).digest()
        self._check_number = self._digits_count = 0
        self._claimed_equal = None

    def begin_check(self) -> None:
        """The next statement of the cell. What an earlier one did changes nothing of what this one's claims are tried against."""
        self._check_number, self._digits_count, self.violation = self._check_number + 1, 0, None

    def end_cell(self) -> None:
        """Between test cells nothing is ruled on."""
        self._allowed = None

    def is_allowed(self, name: str) -> bool:
        """Whether an operator would be allowed."""
        return self.is_recording or self._allowed is None or name in self._allowed

    def check_operator(self, name: str, kind: type) -> None:
        """Notes that an operator is used; raises `Denied` where the reference had plain data."""
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
        """Whether an object is compared with plain data in this check, as it is now. Where the reference compares objects with each
        other alone, it is neither asked nor told what it is compared with: it is not equal.
        """
        if self._allowed is None or name not in _OPPOSITE:
            return True
        usage_key = self._usage_key(name, WITH_PLAIN_DATA)
        self.used_operators.add(usage_key)
        return self.is_recording or name not in self._allowed or usage_key in self._allowed

    def _usage_key(self, name: str, qualifier: str) -> str:
        return f"{name} {qualifier} {self._check_number}"

    def verify_before_comparison(
        self, name: str, kind: type, other: Any, apply_operator: Callable[[str, Any], Any]
    ) -> None:
        """Before an object is asked whether it equals plain data, it is asked about values near by and about that one, in an order that
        nobody over there can foresee: so that whoever equals one value alone has to guess which of them is meant. Raises `Denied`.
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
                self._report_lie(name, kind, "equals what it does not")

    def verify_claim(
        self, name: str, kind: type, claim: Any, other: Any, apply_operator: Callable[[str, Any], Any]
    ) -> None:
        """Tries a claim that could not be true of everything; `say` does an operator to the same object. Raises `Denied`."""
        claimed_equal, self._claimed_equal = self._claimed_equal, None
        if name not in ("contains", *_OPPOSITE) or claim is NotImplemented or not self._needs_verification(name):
            return
        if self.is_recording and type(claim) is not bool:  # element by element, say
            self.used_operators.add(self._usage_key(name, UNUSUAL_CLAIM))
            return
        is_true = _is_true(claim)
        if name in _VERIFYING_OPERATORS and is_true is not (name == "ne"):
            verifying_operator = _VERIFYING_OPERATORS[name]
            if claimed_equal is False:
                self._report_lie(name, kind, "equals what it did not equal before")
            if any(_is_claimed(apply_operator, verifying_operator, value) for value in self._unique_values(other)):
                self._report_lie(name, kind, f"{_CLAIM_VERBS[verifying_operator]} everything")
        if name in _OPPOSITE and is_true and _is_claimed(apply_operator, _OPPOSITE[name], other):
            self._report_lie(name, kind, f"contradicts itself ({name})")

    def _needs_verification(self, name: str) -> bool:
        return self._allowed is not None and self._usage_key(name, UNUSUAL_CLAIM) not in self._allowed

    def _report_lie(self, name: str, kind: type, detail: str) -> None:
        """Of the reference's own objects it is noted; no other may do it where they do not."""
        if self.is_recording:
            self.used_operators.add(self._usage_key(name, UNUSUAL_CLAIM))
        else:
            self._raise_violation(LYING_OPERATOR, kind, f"an object of class {_class_name(kind)} that {detail}")

    def _unpredictable_digits(self) -> str:
        """Hexadecimal digits that nobody over there can foresee, others each time."""
        self._digits_count += 1
        return hashlib.sha256(self._digest_key + f"{self._check_number} {self._digits_count}".encode()).hexdigest()

    def _unique_values(self, other: Any) -> list[Any]:
        """Values that nobody compared with before, one of them of the kind that `other` is."""
        hex_digits = self._unpredictable_digits()
        return [_UniqueObject(), *(unique_values_like(other, hex_digits) or [hex_digits])]

    def record_code_violation(self, detail: str) -> CodeFromData:
        """Notes that something of the student's would have become code here; what is raised for it. See `gate`."""
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
    CODE_FOR_DATA: "would run what your answer gives it; plain data is expected.",
    LYING_OPERATOR: "has an object of your class {} that says of itself what cannot be.",
}
_CLAIM_VERBS = {"eq": "equals", "contains": "holds"}


def _is_claimed(apply_operator: Callable[[str, Any], Any], name: str, value: Any) -> bool:
    try:
        return _is_true(apply_operator(name, value))
    except Exception:  # noqa: BLE001 - an operator of the student's may raise anything
        return False


def _is_true(claim: Any) -> bool:
    """What an assertion makes of it; of an object of the student's, and of what has no truth, the worst."""
    if claim is NotImplemented:
        return False
    try:
        return is_proxy(claim) or bool(claim)
    except Exception:  # noqa: BLE001 - an array has no truth
        return True


def _class_name(kind: type) -> str:
    name: str = type.__getattribute__(kind, "__name__")
    return name[:80]
