"""Copies on both sides, and handles: what is the same, what has changed, and what nobody needs any more."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.grading.inside.apart.codec import Codec
from pmh_jupyter.grading.inside.apart.forms import BadForm
from pmh_jupyter.grading.inside.apart.handles import Given
from pmh_jupyter.grading.inside.apart.sources import Sources
from pmh_jupyter.grading.inside.apart.twins import Twins
from pmh_jupyter.grading.inside.bindings import bound_names


def _no_handle(value: Any) -> Any:
    raise AssertionError(value)


CODEC = Codec(_no_handle, _no_handle)


def both() -> tuple[Twins, Twins]:
    return Twins(1, CODEC.encode), Twins(-1, CODEC.encode)


def across(value: Any, here: Twins, there: Twins) -> Any:
    here.begin()
    arrived = CODEC.decode(CODEC.encode(value, here), there)
    there.arrived(True)
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
    (changed,) = there.changed([], only_theirs=False)
    assert changed is copy["a"]
    across(changed, there, here)
    assert value == {"a": [1, 2]} and not there.changed([], only_theirs=False)


def test_the_judges_own_values_go_over_only_when_they_are_named() -> None:
    here, there = both()
    value = [1]
    across(value, here, there)
    value.append(2)
    assert not here.changed([], only_theirs=True) and here.changed([], only_theirs=False) == (value,)


def test_what_nobody_holds_is_forgotten() -> None:
    here, there = both()
    held, copy = [1], across([2], there, here)
    across(held, here, there)
    assert here.unused() == []
    del copy
    assert here.unused() == [-1]


def test_after_a_message_that_never_left_nothing_of_it_is_known() -> None:
    here, _ = both()
    here.begin()
    CODEC.encode([[1]], here)
    here.unsend()
    assert here.forget_all() == []


def test_a_number_that_was_never_given_is_refused() -> None:
    here, _ = both()
    with pytest.raises(BadForm):
        CODEC.decode(["m", 5, "l", []], here)


def test_an_object_lives_until_it_was_dropped_as_often_as_it_was_sent() -> None:
    given, thing = Given(), object()
    number = given.give(thing)
    assert given.give(thing) == number and given.is_offered(thing)
    given.drop(number, 1)
    assert given.find(number) is thing
    given.drop(number, 1)
    with pytest.raises(BadForm):
        given.find(number)
    assert not given.is_offered(thing) and given.give(thing) != number


@pytest.mark.parametrize("number", [None, "1", 1.0, 99, -1, [1]])
def test_wrong_numbers_find_nothing(number: object) -> None:
    given = Given()
    given.give(object())
    given.drop(number, 5)
    with pytest.raises(BadForm):
        given.find(number)


def test_the_class_of_an_object_is_not_offered_with_it() -> None:
    given = Given()
    assert given.give_class(Given) == (1, True) and given.give_class(Given) == (1, False)
    assert not given.is_offered(Given) and given.find(1) is Given


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x = y = 1\na, (b, *c) = 1, (2,)", {"x", "y", "a", "b", "c"}),
        ("def f(p):\n    q = 1\n    global g\nclass C:\n    d = 1", {"f", "g", "C"}),
        ("import a.b, c as d\nfrom e import f as g, h", {"a", "d", "g", "h"}),
        ("for i in x: pass\nwith y as z: pass\n[j for k in l]", {"i", "z", "k"}),
        ("if (n := 1): pass\ntry: pass\nexcept E as e: pass\ndel m", {"n", "e", "m"}),
        ("match v:\n    case {'a': o, **r}: pass\n    case [s, *t] as u: pass", {"o", "r", "s", "t", "u"}),
        ("this is no python", set()),
    ],
)
def test_names_that_a_cell_binds(source: str, names: set[str]) -> None:
    assert bound_names(source) == names


def test_the_source_of_what_was_defined_last() -> None:
    sources = Sources()
    sources.add("def f():\n    return 1\n")
    sources.add("@d\ndef f():\n    return 2\n\nclass C:\n    def m(self):\n        pass\nx = (")
    sources.add("class C:\n    def m(self): return 3\n")
    assert sources.find("f") == "def f():\n    return 1\n"
    assert sources.find("C.m") == "    def m(self): return 3\n"
    assert sources.find("nothing") is None
