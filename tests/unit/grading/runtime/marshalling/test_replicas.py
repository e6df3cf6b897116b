"""Copies on both sides, and handles: what is the same, what has changed, and what nobody needs any more."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.grading.runtime.marshalling.codec import Codec
from pmh_jupyter.grading.runtime.marshalling.replicas import Replicas
from pmh_jupyter.grading.runtime.proxies.object_table import ObjectTable
from pmh_jupyter.grading.runtime.separate_process.definition_sources import DefinitionSources
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError


def _no_handle(value: Any) -> Any:
    raise AssertionError(value)


CODEC = Codec(_no_handle, _no_handle)


def both() -> tuple[Replicas, Replicas]:
    return Replicas(1, CODEC.encode), Replicas(-1, CODEC.encode)


def across(value: Any, here: Replicas, there: Replicas) -> Any:
    here.begin_message()
    arrived = CODEC.decode(CODEC.encode(value, here), there)
    there.take_received(True)
    return arrived


def test_the_same_object_has_the_same_copy_there_and_back() -> None:
    here, there = both()
    value: list[Any] = [[1]]
    copy = across(value, here, there)
    assert across(value, here, there) is copy and across(copy, there, here) is value
    assert across(copy[0], there, here) is value[0]


def test_a_change_is_found_and_carried_over_in_place() -> None:
    here, there = both()
    value = {"a": [1]}
    copy = across(value, here, there)
    copy["a"].append(2)
    (changed,) = there.changed_values([], only_remote=False)
    assert changed is copy["a"]
    across(changed, there, here)
    assert value == {"a": [1, 2]} and not there.changed_values([], only_remote=False)


def test_the_judges_own_values_go_over_only_when_they_are_named() -> None:
    here, there = both()
    value = [1]
    across(value, here, there)
    value.append(2)
    assert not here.changed_values([], only_remote=True) and here.changed_values([], only_remote=False) == (value,)


def test_what_nobody_holds_is_forgotten() -> None:
    here, there = both()
    held, copy = [1], across([2], there, here)
    across(held, here, there)
    assert here.release_unused() == []
    del copy
    assert here.release_unused() == [-1]


def test_after_a_message_that_never_left_nothing_of_it_is_known() -> None:
    here, _ = both()
    here.begin_message()
    CODEC.encode([[1]], here)
    here.undo_message()
    assert here.forget_all() == []


def test_a_number_that_was_never_given_is_refused() -> None:
    here, _ = both()
    with pytest.raises(WireFormatError):
        CODEC.decode(["m", 5, "l", []], here)


def test_an_object_lives_until_it_was_dropped_as_often_as_it_was_sent() -> None:
    given, thing = ObjectTable(), object()
    number = given.export(thing)
    assert given.export(thing) == number and given.is_offered(thing)
    given.release(number, 1)
    assert given.find(number) is thing
    given.release(number, 1)
    with pytest.raises(WireFormatError):
        given.find(number)
    assert not given.is_offered(thing) and given.export(thing) != number


@pytest.mark.parametrize("number", [None, "1", 1.0, 99, -1, [1]])
def test_wrong_numbers_find_nothing(number: object) -> None:
    given = ObjectTable()
    given.export(object())
    given.release(number, 5)
    with pytest.raises(WireFormatError):
        given.find(number)


def test_the_class_of_an_object_is_not_offered_with_it() -> None:
    given = ObjectTable()
    assert given.export_class(ObjectTable) == (1, True) and given.export_class(ObjectTable) == (1, False)
    assert not given.is_offered(ObjectTable) and given.find(1) is ObjectTable


def test_the_source_of_what_was_defined_last() -> None:
    sources = DefinitionSources()
    sources.add("def f():\n    return 1\n")
    sources.add("@d\ndef f():\n    return 2\n\nclass C:\n    def m(self):\n        pass\nx = (")
    sources.add("class C:\n    def m(self): return 3\n")
    assert sources.find("f") == "def f():\n    return 1\n"
    assert sources.find("C.m") == "    def m(self): return 3\n"
    assert sources.find("nothing") is None
