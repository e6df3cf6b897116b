"""The contract between the tests of a release and the objects of a submission. Read this first to understand separate-process isolation.

**Data** crosses from the student process by value. Everything else is **live**: it stays in the student process, and the judge has a proxy
of it. An operation of a test on a proxy (reading an attribute, applying an operator, …) is a **use**, and every use has a **place**: the
node of the test's syntax tree that makes it. While the reference solution runs, its uses are recorded by place (see `contract_entries`).
For a submission, any other use is refused, and the test does not pass. This applies to every method. Some uses are free, because they
reveal nothing, and their result is data or is itself subject to the contract:

- looking up a name, importing a module and reading its attributes;
- calling an object, and setting or deleting an attribute: the notebook gets an input, as from any call;
- taking values from an iterator, awaiting, copying, entering and leaving a context;
- converting an exception to text.

`docs/explanation/what-tests-believe.md` explains what follows from this. Where the contract lets an object of the notebook decide about
equality, `claims` verifies its answers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from pmh_jupyter.grading.runtime.proxies.operators import (
    COMPARISON_OPERATORS,
    IN_PLACE_OPERATORS,
    REFLECTED_OPERATORS,
    SEQUENCE_OPERATORS,
    TEXT_OPERATORS,
)
from pmh_jupyter.grading.runtime.separate_process.contract.observations import CellObservations
from pmh_jupyter.grading.runtime.separate_process.contract.places import PlaceTable
from pmh_jupyter.grading.runtime.test_cells.comparison_counts import is_empty, is_empty_array
from pmh_jupyter.grading.runtime.test_cells.contract_entries import ClaimDetail, Use, format_entry, parse_entry

_OPERATOR_FAMILIES = (
    frozenset({"eq", "ne"}),
    frozenset({"lt", "le", "gt", "ge"}),
    frozenset({"bool", "len"}),
    SEQUENCE_OPERATORS,
    frozenset({"int", "index", "float", "complex", "round", "trunc", "floor", "ceil"}),
)


class Contract:
    """The contract of one test cell at a time, which permits a submission only the uses that the reference had.

    entries_by_cell: the recorded entries of every test cell.

    - `entries`: those of the current cell; None while they are recorded.
    - `names_on_functions`: the attributes that the reference sets on functions of the tests. Tests may read data there from any function.
    - `is_active`: whether a test cell runs. Between test cells, nothing is recorded or refused.
    - `permits_all_changes`: whether every value that the test passed may come back changed.
    - `observations`: what the running cell has shown about the submission.

    Its methods that take a use and its details apply to the place that is being executed, unless `place` is given.
    """

    is_recording = False

    def __init__(self, entries_by_cell: Iterable[Iterable[str]] = ()) -> None:
        all_entries = [parse_entry(entry) for entries in entries_by_cell for entry in entries]
        self.names_on_functions = frozenset(names[0] for _, use, names in all_entries if use == Use.SET_ON_FUNCTION)
        self._read_names = frozenset(names[0] for _, use, names in all_entries if use == Use.GET_ATTRIBUTE)
        self.entries: tuple[str, ...] | None = None
        self._permitted_entries: frozenset[str] = frozenset()
        self._places_with_uses: frozenset[str] = frozenset()
        self.is_active = self.permits_all_changes = False
        self.observations = CellObservations()
        self._places = PlaceTable()

    def begin_cell(self, entries: Iterable[str]) -> None:
        """Start a test cell with the entries that were recorded for it."""
        self.entries = tuple(entries)
        self._permitted_entries = frozenset(_expand_families(self.entries))
        self._places_with_uses = frozenset(parse_entry(entry)[0] for entry in self._permitted_entries)
        self.observations = CellObservations()
        self.is_active = True
        self._places = PlaceTable()

    def end_cell(self) -> None:
        """End the test cell."""
        self.is_active = False

    @property
    def is_enforced(self) -> bool:
        """Whether uses without an entry are refused: a test cell runs, and not with the reference."""
        return self.is_active and not self.is_recording

    def find_place(self) -> str:
        """Return the place of the test that is being executed; empty outside of a test, for example in a thread of a library."""
        return self._places.find(sys._getframe(1))

    def has_entry(self, *use: str, place: str | None = None) -> bool:
        """Return whether the reference was recorded with this use. False while it is recorded."""
        return format_entry(self.find_place() if place is None else place, *use) in self._permitted_entries

    def admit(self, *use: str, place: str | None = None) -> bool:
        """Record a use of the reference, or return whether a submission may have it."""
        return not self.is_active or self.has_entry(*use, place=place)

    def admit_operator(self, name: str, place: str) -> bool:
        """Admit the use of an operator. Any object that is expected at the place may be converted to text."""
        is_expected_text = name in TEXT_OPERATORS and place in self._places_with_uses
        return self.admit(Use.OPERATOR, name, place=place) or is_expected_text

    def admit_comparison_with_data(self, name: str, place: str) -> bool:
        """Admit the comparison of an object with data."""
        is_comparison = name in COMPARISON_OPERATORS
        return not is_comparison or self.admit(Use.OPERATOR, name, ClaimDetail.WITH_DATA, place=place)

    def admit_function_attribute(self, name: str) -> bool:
        """Admit an attribute that the notebook sets on a function of the test: whether the test may read it there."""
        return name in self.names_on_functions | self._read_names

    def admit_received_value(self, value: Any) -> None:
        """Admit an empty or a false value. An empty array or table where the reference gives values is a shortfall."""
        if (is_empty(value) or _is_false(value)) and not self.admit(Use.RECEIVE_EMPTY):
            if is_empty_array(value) and not self.has_entry(Use.RAISE):
                self.observations.has_shortfall = True

    def permits_changes(self) -> bool:
        """Return whether a value that the test passed may come back changed."""
        return not self.is_enforced or self.permits_all_changes or self.has_entry(Use.CHANGE_ARGUMENT)

    def record_change(self) -> None:
        """Record that a value that the test passed came back changed."""
        self.admit(Use.CHANGE_ARGUMENT)


class RecordingContract(Contract):
    """Records the uses of the reference in `recorded_entries`, and refuses nothing."""

    is_recording = True
    recorded_entries: set[str]

    def begin_cell(self, entries: Iterable[str]) -> None:
        super().begin_cell(())
        self.entries, self.recorded_entries = None, set()

    def admit(self, *use: str, place: str | None = None) -> bool:
        if self.is_active:
            self.recorded_entries.add(format_entry(self.find_place() if place is None else place, *use))
        return True

    def admit_function_attribute(self, name: str) -> bool:
        return self.admit(Use.SET_ON_FUNCTION, name)


def find_operator_family(name: str) -> frozenset[str]:
    """Return the operators that are permitted together with this one: Python exchanges them, for example `a != b` for `not a == b`."""
    base_name = name[1:] if name in REFLECTED_OPERATORS | IN_PLACE_OPERATORS else name
    families = [names for names in _OPERATOR_FAMILIES if name in names]
    return frozenset({base_name, f"r{base_name}", f"i{base_name}"}).union(*families)


def _expand_families(entries: Iterable[str]) -> Iterator[str]:
    for entry in entries:
        yield entry
        place, use, details = parse_entry(entry)
        if use == Use.OPERATOR:
            for name in find_operator_family(details[0]):
                yield format_entry(place, use, name, *details[1:])
            if (
                details[0] == "hash"
            ):  # a set compares objects whose hashes collide, which may not happen with the reference
                yield format_entry(place, use, "eq")


def _is_false(value: Any) -> bool:
    return value is None or (type(value) in (bool, int, float, str) and not value)
