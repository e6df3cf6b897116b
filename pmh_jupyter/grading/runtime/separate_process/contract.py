"""The contract between the tests of a release and the objects of a submission. Read this first to understand separate-process isolation.

**Data** crosses from the student process by value, anywhere: the judge rebuilds it from bytes with its own types, and compares it with its
own code. So a test accepts the same data from a submission as from the reference solution, and data cannot make false claims.

Everything else is **live**: an object of one of the notebook's own classes, a function, a class, an iterator, an object of a library. It
stays in the student process, and the judge has a proxy of it. An operation of a test on a proxy (reading an attribute, applying an
operator, …) is a **use**, and every use has a **place**: the node of the test's syntax tree that makes it, in the test cell or in a test
helper.

While the reference solution runs, its uses are recorded by place. For a submission, a use that the reference did not need at that place is
refused, and the test does not pass. This applies to every method. Some uses are free, because they reveal nothing, and their result is data
or is itself subject to the contract:

- looking up a name, importing a module and reading its attributes;
- calling an object, and setting or deleting an attribute: the notebook gets an input, as from any call;
- taking values from an iterator, awaiting, copying, entering and leaving a context;
- converting an exception to text.

Before a use is refused, the object is converted to data if it can be without loss (see `marshalling.conversion`). An object of the
notebook's own classes that can be iterated over is read once, into a list, so that every test gets the same sequence. A comparison of an
object with data, where the reference compares only objects with each other, is not refused but false: the object is not asked, and does not
get the value. A list that the test passed comes back changed only where the reference changes it (see `test_cell`). Where the contract lets
an object of the notebook decide about equality, `claims` verifies its answers.

An entry of a contract is a string: the place, then the use. `2:7-2:20 operator eq with-data` is `==` between an object and data at line 2,
columns 7 to 20, of the test cell.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, ClassVar

from pmh_jupyter.grading.runtime.proxies.operators import (
    COMPARISON_OPERATORS,
    IN_PLACE_OPERATORS,
    REFLECTED_OPERATORS,
    SEQUENCE_OPERATORS,
    TEXT_OPERATORS,
)
from pmh_jupyter.grading.runtime.separate_process.places import PlaceTable
from pmh_jupyter.grading.runtime.test_cells.comparison_counts import is_empty, is_empty_array
from pmh_jupyter.grading.runtime.transport.result_fields import FlagFields, TestReason, make_flag

OBJECT_FOR_DATA = TestReason.OBJECT_FOR_DATA
OBJECT_OF_TEST = TestReason.OBJECT_OF_TEST
CODE_FOR_DATA = TestReason.CODE_FOR_DATA
HELPER_CHANGED = "helper-changed"


class Use(StrEnum):
    """An operation on a value of the notebook, or a kind of received value. The name of the attribute or the operator follows."""

    GET_ATTRIBUTE = "attribute"
    OPERATOR = "operator"
    CLASS_NAME = "class-name"
    # The test received an object of one of the notebook's own classes. Where the reference returned only data, a value of a subclass of
    # a plain type is converted to that type.
    RECEIVE_OBJECT = "receive-object"
    # The test compared an object that it had constructed at this place with an equal one.
    COMPARE_CONSTRUCTED = "compare-constructed"
    # The test got back one of its own objects, for example a mock that it had passed.
    RECEIVE_OWN = "receive-own"
    # A request raised an exception, so the reference shows no use of an object received at this place. Only there may a call raise
    # StopIteration, with which Python ends a loop silently.
    RAISE = "raise"
    # The test received an empty or false value. An empty array broadcasts, and a comparison of all its elements is true.
    RECEIVE_EMPTY = "receive-empty"
    # The test received a half-precision number. Elsewhere it is widened, because a comparison rounds the other number to 0 or infinity.
    RECEIVE_HALF = "receive-half"
    # The student's code changed a value that the test passed, for example sorted a list in place.
    CHANGE_ARGUMENT = "change-argument"
    # The notebook set an attribute on a function of the test, for example `f.calls = 0` in a decorator that returns `f`.
    SET_ON_FUNCTION = "set-on-function"
    # The notebook's code saw an assertion of the test fail, for example in a callback.
    SEE_FAILURE = "see-failure"


# Detail of a comparison entry: the other operand was data.
WITH_DATA = "with-data"
# Detail of a comparison entry: the object equals some objects of its class in the test cell, and not others.
DISTINGUISHES = "distinguishes"
# Detail of a comparison entry: the reference lacks a property that is otherwise verified, whose name follows. For example, numbers modulo
# seven equal every seventh number.
UNUSUAL_CLAIM = "unusual-claim"

_OPERATOR_FAMILIES = (
    frozenset({"eq", "ne"}),
    frozenset({"lt", "le", "gt", "ge"}),
    frozenset({"bool", "len"}),
    SEQUENCE_OPERATORS,
    frozenset({"int", "index", "float", "complex", "round", "trunc", "floor", "ceil"}),
)


class ContractViolation(Exception):
    """A test would have used an object of the student in a way that the contract does not permit, or the object made a false claim.

    reason: the reason of the test result. class_name: the name of the object's class, for the student.
    """

    def __init__(self, detail: str, reason: TestReason = TestReason.NONE, class_name: str = "") -> None:
        super().__init__(detail)
        self.reason, self.class_name = reason, class_name


class CodeFromData(ContractViolation):
    """A test tried to execute, in the judge, code that is not part of the release."""


class Contract(ABC):
    """The contract of one test cell at a time. `RecordingContract` records the reference, `BindingContract` binds submissions.

    Attributes:

    - `recorded_entries`: the entries that the reference adds while it runs.
    - `violation`: the first violation of the current statement. It counts even if the test catches the exception.
    - `seen_failure`: a failed assertion of the current statement that the student's code has seen and could have caught: in a callback, a
      decorated function or a context manager. The statement does not pass, unless the reference has seen a failure there.
    - `shortfall`: an empty value that the cell received where the reference gives values. The cell does not pass.
    - `entries`: what was recorded for the current cell; None while it is recorded.
    - `names_on_functions`: the attributes that the reference sets on functions of the tests. Tests may read data there from any function.
    - `is_active`: whether a test cell runs. Between test cells, nothing is recorded or refused.
    """

    records_changes: ClassVar[bool]

    def __init__(self) -> None:
        self.recorded_entries: set[str] = set()
        self.violation: ContractViolation | None = None
        self.seen_failure: BaseException | None = None
        self.flags: list[FlagFields] = []
        self.statement_line = 0
        self.shortfall: ContractViolation | None = None
        self.permits_all_changes = False
        self.names_on_functions: frozenset[str] = frozenset()
        self.is_active = False
        self.entries: tuple[str, ...] | None = None
        self._places = PlaceTable()

    def begin_cell(self, entries: Iterable[str]) -> None:
        """Start a test cell. entries: those that were recorded for it; a contract that records ignores them."""
        self.recorded_entries, self.flags, self.violation = set(), [], None
        self.statement_line = 0
        self.shortfall = None
        self.is_active = True
        self._places = PlaceTable()

    def begin_statement(self, line: int) -> None:
        """Start the statement of the cell that begins at this line."""
        self.statement_line, self.violation, self.seen_failure = line, None, None

    def end_cell(self) -> None:
        """End the test cell."""
        self.is_active = False

    def find_place(self) -> str:
        """Return the place of the test that is being executed; empty outside of a test, for example in a thread of a library."""
        return self._places.find(sys._getframe(1))

    @abstractmethod
    def record(self, place: str, *use: str) -> None:
        """Record a use of the reference. A contract that binds a submission does not change."""

    @abstractmethod
    def has_use(self, place: str, *use: str) -> bool:
        """Return whether the reference was recorded with this use at this place; True outside of a test cell."""

    @abstractmethod
    def admit(self, place: str, *use: str) -> bool:
        """Record a use of the reference, or return whether a submission may have it at this place."""

    @abstractmethod
    def record_here(self, *use: str) -> None:
        """Record a use at the place that is being executed."""

    def admit_here(self, *use: str) -> bool:
        """Admit a use at the place that is being executed."""
        return self.admit(self.find_place(), *use)

    @abstractmethod
    def permits_here(self, *use: str) -> bool:
        """Return whether a use is permitted at the place that is being executed, without recording it."""

    def admit_operator(self, name: str, place: str) -> bool:
        """Admit the use of an operator."""
        return self.admit(place, Use.OPERATOR, name)

    def admit_comparison_with_data(self, name: str, place: str) -> bool:
        """Admit the comparison of an object with data."""
        return name not in COMPARISON_OPERATORS or self.admit(place, Use.OPERATOR, name, WITH_DATA)

    def admit_function_attribute(self, name: str) -> bool:
        """Admit an attribute that the notebook sets on a function of the test: whether the test may read it there."""
        self.record_here(Use.SET_ON_FUNCTION, name)
        return True

    def permits_changes(self) -> bool:
        """Return whether a value that the test passed may come back changed (see `marshalling.replicas.ChangePolicy`)."""
        return self.permits_all_changes or self.permits_here(Use.CHANGE_ARGUMENT)

    def record_change(self) -> None:
        """Record that a value that the test passed came back changed."""
        self.record_here(Use.CHANGE_ARGUMENT)

    @abstractmethod
    def record_received_value(self, value: Any) -> None:
        """Record an empty or a false value of the reference, or a shortfall of a submission that gives an empty array or table."""

    def make_violation(
        self, code: TestReason, class_name: str, detail: str, *, is_suspicious: bool = True
    ) -> ContractViolation:
        """Return the exception to raise for a violation. Staff see a flag if it is suspicious."""
        if is_suspicious:
            self.flags.append(make_flag(code, detail))
        violation = ContractViolation(detail[:200], code, class_name)
        self.violation = self.violation or violation
        return violation

    def record_seen_failure(self, error: BaseException) -> None:
        """Record that the student's code sees a failed assertion of the test."""
        if isinstance(error, AssertionError) and not self.admit_here(Use.SEE_FAILURE):
            self.seen_failure = self.seen_failure or error

    def record_helper_change(self, name: str) -> None:
        """Record that the notebook has changed a function or a class of a locked cell. The release's version is used."""
        self.flags.append(make_flag(HELPER_CHANGED, name))

    def record_code_violation(self, detail: str) -> CodeFromData:
        """Record that data of the student would have been executed here. Returns the exception to raise. See `code_execution_policy`."""
        self.flags.append(make_flag(CODE_FOR_DATA, detail))
        violation = CodeFromData(detail[:200], CODE_FOR_DATA)
        self.violation = self.violation or violation
        return violation


class RecordingContract(Contract):
    """Records the uses of the reference, and refuses nothing."""

    records_changes = True

    def record(self, place: str, *use: str) -> None:
        self.recorded_entries.add(" ".join((place, *use)))

    def has_use(self, place: str, *use: str) -> bool:
        return not self.is_active

    def admit(self, place: str, *use: str) -> bool:
        if self.is_active:
            self.record(place, *use)
        return True

    def record_here(self, *use: str) -> None:
        if self.is_active:
            self.record(self.find_place(), *use)

    def permits_here(self, *use: str) -> bool:
        return True

    def record_received_value(self, value: Any) -> None:
        if self.is_active and (is_empty(value) or _is_false(value)):
            self.record(self.find_place(), Use.RECEIVE_EMPTY)


class BindingContract(Contract):
    """Permits only the uses that the reference had."""

    records_changes = False

    def __init__(self, entries_by_cell: Iterable[Iterable[str]] = ()) -> None:
        super().__init__()
        uses = [(entry.split(" ") + ["", ""])[1:3] for entries in entries_by_cell for entry in entries]
        self.names_on_functions = frozenset(name for use, name in uses if use == Use.SET_ON_FUNCTION)
        self._read_names = frozenset(name for use, name in uses if use == Use.GET_ATTRIBUTE)
        self._permitted_entries: frozenset[str] = frozenset()
        self._places_with_uses: frozenset[str] = frozenset()

    def begin_cell(self, entries: Iterable[str]) -> None:
        super().begin_cell(entries)
        self.entries = tuple(entries)
        self._permitted_entries = frozenset(_expand_families(self.entries))
        self._places_with_uses = frozenset(entry.partition(" ")[0] for entry in self._permitted_entries)

    def record(self, place: str, *use: str) -> None:
        pass

    def has_use(self, place: str, *use: str) -> bool:
        return not self.is_active or " ".join((place, *use)) in self._permitted_entries

    admit = has_use

    def record_here(self, *use: str) -> None:
        pass

    def permits_here(self, *use: str) -> bool:
        return not self.is_active or self.has_use(self.find_place(), *use)

    def admit_operator(self, name: str, place: str) -> bool:
        """Admit the use of an operator. Any object that is expected at the place may be converted to text."""
        return super().admit_operator(name, place) or (name in TEXT_OPERATORS and place in self._places_with_uses)

    def admit_function_attribute(self, name: str) -> bool:
        return name in self.names_on_functions | self._read_names

    def record_received_value(self, value: Any) -> None:
        if is_empty_array(value) and not (self.permits_here(Use.RECEIVE_EMPTY) or self.permits_here(Use.RAISE)):
            self.shortfall = self.shortfall or ContractViolation("an empty value", TestReason.EMPTY_VALUE)


def find_operator_family(name: str) -> frozenset[str]:
    """Return the operators that are permitted together with this one: Python exchanges them, for example `a != b` for `not a == b`."""
    base_name = name[1:] if name in REFLECTED_OPERATORS | IN_PLACE_OPERATORS else name
    families = [names for names in _OPERATOR_FAMILIES if name in names]
    return frozenset({base_name, f"r{base_name}", f"i{base_name}"}).union(*families)


def _expand_families(entries: Iterable[str]) -> Iterator[str]:
    for entry in entries:
        yield entry
        place, use, *details = entry.split(" ")
        if use == Use.OPERATOR:
            for name in find_operator_family(details[0]):
                yield " ".join((place, use, name, *details[1:]))


def _is_false(value: Any) -> bool:
    return value is None or (type(value) in (bool, int, float, str) and not value)
