"""The uses that a contract records and permits, and the places of a test cell."""

from __future__ import annotations

import ast

import pytest

from pmh_jupyter.grading.runtime.separate_process.contract.contract import (
    Contract,
    RecordingContract,
    find_operator_family,
)
from pmh_jupyter.grading.runtime.separate_process.contract.observations import CellObservations
from pmh_jupyter.grading.runtime.test_cells.code_filenames import TEST_CELL_FILENAME, TEST_HELPER_FILENAME
from pmh_jupyter.grading.runtime.test_cells.contract_entries import Use
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

PLACE, OTHER_PLACE = "1:7-1:13", "2:7-2:13"


def make_contract(*entries: str) -> Contract:
    contract = Contract()
    contract.begin_cell(entries)
    return contract


def make_recording() -> RecordingContract:
    contract = RecordingContract()
    contract.begin_cell(())
    return contract


@pytest.mark.parametrize(
    ("name", "family"),
    [("eq", {"ne"}), ("lt", {"ge", "le", "gt"}), ("add", {"radd", "iadd"}), ("rsub", {"sub"}), ("bool", {"len"})],
)
def test_operators_of_one_family_are_permitted_together(name: str, family: set[str]) -> None:
    assert family | {name} <= find_operator_family(name)
    assert all(make_contract(f"{PLACE} operator {name}").admit_operator(each, PLACE) for each in family)


def test_use_is_permitted_only_at_the_place_of_the_reference() -> None:
    contract = make_contract(f"{PLACE} attribute x", f"{PLACE} operator lt")
    assert contract.admit(Use.GET_ATTRIBUTE, "x", place=PLACE)
    assert not contract.admit(Use.GET_ATTRIBUTE, "x", place=OTHER_PLACE)
    assert not contract.admit(Use.GET_ATTRIBUTE, "y", place=PLACE)
    assert contract.admit_operator("ge", PLACE)
    assert not contract.admit_operator("lt", OTHER_PLACE)
    assert not contract.admit_operator("eq", PLACE)


@pytest.mark.parametrize("is_active", [True, False])
def test_notebook_sets_only_attributes_that_tests_read_from_the_reference(is_active: bool) -> None:
    contract = Contract([[f"{PLACE} attribute tag"], [f"{OTHER_PLACE} set-on-function calls", "1:0-1:1 raise"]])
    if is_active:
        contract.begin_cell(())
    assert contract.admit_function_attribute("tag") and contract.admit_function_attribute("calls")
    assert not contract.admit_function_attribute("count")
    assert contract.names_on_functions == {"calls"}


def test_attribute_that_the_reference_sets_on_a_function_is_recorded() -> None:
    recording = make_recording()
    assert recording.admit_function_attribute("tag")
    assert [entry.split(" ")[1:] for entry in recording.recorded_entries] == [["set-on-function", "tag"]]


def test_every_use_is_permitted_and_recorded_while_recording() -> None:
    recording = make_recording()
    assert recording.admit(Use.GET_ATTRIBUTE, "x", place=PLACE)
    assert recording.admit_operator("eq", PLACE)
    assert recording.recorded_entries == {f"{PLACE} attribute x", f"{PLACE} operator eq"}
    assert make_contract(*recording.recorded_entries).admit(Use.GET_ATTRIBUTE, "x", place=PLACE)


def test_comparison_with_data_is_recorded_separately() -> None:
    recording = make_recording()
    assert recording.admit_comparison_with_data("lt", PLACE)
    assert recording.recorded_entries == {f"{PLACE} operator lt with-data"}
    assert make_contract(*recording.recorded_entries).admit_comparison_with_data("ge", PLACE)
    assert not make_contract(f"{PLACE} operator lt").admit_comparison_with_data("lt", PLACE)
    assert make_contract().admit_comparison_with_data("add", PLACE), "arithmetic is permitted or refused as a whole"


def test_text_of_an_object_is_permitted_where_the_reference_has_one() -> None:
    contract = make_contract(f"{PLACE} operator eq")
    assert contract.admit_operator("repr", PLACE)
    assert not contract.admit_operator("repr", OTHER_PLACE)


@pytest.mark.parametrize("contract", [make_contract(), make_recording()])
def test_nothing_is_refused_or_recorded_between_test_cells(contract: Contract) -> None:
    contract.end_cell()
    assert contract.admit(Use.GET_ATTRIBUTE, "x", place=PLACE)
    assert contract.admit(Use.RAISE)
    assert not contract.is_enforced
    assert not isinstance(contract, RecordingContract) or not contract.recorded_entries


def test_entry_is_only_looked_up_and_never_recorded() -> None:
    recording = make_recording()
    assert not recording.has_entry(Use.RAISE, place=PLACE)
    assert not recording.recorded_entries
    contract = make_contract(f"{PLACE} raise")
    assert contract.has_entry(Use.RAISE, place=PLACE)
    assert not contract.has_entry(Use.RAISE, place=OTHER_PLACE)


def test_violation_counts_until_the_next_statement_and_is_flagged_if_suspicious() -> None:
    observations = CellObservations()
    violation = observations.make_violation(TestReason.OBJECT_FOR_DATA, "Any", "detail")
    observations.make_violation(TestReason.OBJECT_FOR_DATA, "Other", "detail", is_suspicious=False)
    assert observations.violation is violation
    assert (violation.reason, violation.class_name) == ("object-for-data", "Any")
    observations.make_code_violation("eval")
    assert [flag["code"] for flag in observations.flag_collector.flags] == [
        TestReason.OBJECT_FOR_DATA,
        TestReason.CODE_FOR_DATA,
    ]
    observations.begin_statement(2)
    assert observations.violation is None


@pytest.mark.parametrize(("filename", "origin"), [(TEST_CELL_FILENAME, ""), (TEST_HELPER_FILENAME, "helper/")])
def test_place_is_the_innermost_node_of_the_tests_that_is_executed(filename: str, origin: str) -> None:
    source = "def helper():\n    return here()\nx = [here(), sorted([1, 2], key=lambda n: here()), helper()]"
    contract, places = make_contract(), []

    def here() -> int:
        places.append(contract.find_place())
        return 0

    exec(compile(source, filename, "exec"), {"here": here})
    calls = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and ast.unparse(node) == "here()"
    ]
    expected = {f"{origin}{n.lineno}:{n.col_offset}-{n.end_lineno}:{n.end_col_offset}" for n in calls}
    assert len(places) == 4
    assert set(places) == expected


def test_place_outside_of_the_tests_is_empty() -> None:
    assert make_contract().find_place() == ""
