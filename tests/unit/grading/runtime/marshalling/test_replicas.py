"""Replicas keep their identity, and each side receives the changes of the other."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.grading.runtime.marshalling.codec import Codec
from pmh_jupyter.grading.runtime.marshalling.replicas import MAX_ACTIVE_OWN, Replicas
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError


def refuse_reference(value: Any) -> Any:
    raise AssertionError(value)


CODEC = Codec(refuse_reference, refuse_reference)


def make_pair() -> tuple[Replicas, Replicas]:
    return Replicas(1, CODEC.encode), Replicas(-1, CODEC.encode)


def send(value: Any, sender: Replicas, receiver: Replicas) -> Any:
    sender.begin_message()
    arrived = CODEC.decode(CODEC.encode(value, sender), receiver)
    receiver.pop_received(True)
    return arrived


def find_changes(replicas: Replicas) -> list[Any]:
    return list(replicas.find_changed_values([], max_own=MAX_ACTIVE_OWN))


def test_object_keeps_its_copy_and_comes_back_as_itself() -> None:
    judge, student = make_pair()
    value: list[Any] = [[1]]
    copy = send(value, judge, student)
    assert send(value, judge, student) is copy
    assert send(copy, student, judge) is value
    assert send(copy[0], student, judge) is value[0]


def test_change_is_found_and_applied_in_place() -> None:
    judge, student = make_pair()
    value = {"a": [1]}
    copy = send(value, judge, student)
    copy["a"].append(2)
    (changed,) = find_changes(student)
    assert changed is copy["a"]
    send(changed, student, judge)
    assert value == {"a": [1, 2]} and not find_changes(student)


def test_changed_value_is_found_on_the_side_that_has_passed_it() -> None:
    judge, student = make_pair()
    value: list[Any] = [1]
    copy = send(value, judge, student)
    value.append(2)
    assert find_changes(judge) == [value]
    send(value, judge, student)
    assert copy == [1, 2] and find_changes(judge) == []


def test_value_that_was_not_passed_is_never_found() -> None:
    judge, student = make_pair()
    row: list[Any] = [1]
    table = [row, [2]]
    send(row, judge, student)
    table[1].append(3)
    table.append([4])
    assert find_changes(judge) == []
    row.append(5)
    assert find_changes(judge) == [row]


def test_only_the_own_values_that_were_used_last_are_compared() -> None:
    judge, student = make_pair()
    values = [[number] for number in range(MAX_ACTIVE_OWN + 1)]
    for value in values:
        send(value, judge, student)
    values[0].append(0)
    assert find_changes(judge) == []
    values[1].append(0)
    assert find_changes(judge) == [values[1]]


def test_change_that_cannot_be_sent_is_ignored_until_the_value_is_passed_again() -> None:
    judge, student = make_pair()
    value: list[Any] = [1]
    copy = send(value, judge, student)
    value.append(2)
    judge.drop_changes([value])
    assert find_changes(judge) == []
    assert send(value, judge, student) is copy and copy == [1, 2]


def test_accepted_difference_is_not_a_change() -> None:
    judge, student = make_pair()
    value: list[Any] = [1]
    send(value, judge, student)
    value.append(2)
    judge.accept_differences([value])
    assert find_changes(judge) == []
    value.append(3)
    assert find_changes(judge) == [value]


def test_replica_without_references_is_released() -> None:
    judge, student = make_pair()
    held, copy = [1], send([2], student, judge)
    send(held, judge, student)
    assert judge.release_unused() == []
    del copy
    assert judge.release_unused() == [-1]


def test_numbers_of_an_unsent_message_are_forgotten() -> None:
    judge, _ = make_pair()
    judge.begin_message()
    CODEC.encode([[1]], judge)
    judge.undo_message()
    assert judge.forget_all() == []


def test_value_of_an_unsent_message_keeps_its_number_and_its_change() -> None:
    judge, student = make_pair()
    value = [1]
    copy = send(value, judge, student)
    value.append(2)
    judge.begin_message()
    CODEC.encode([value, value], judge)
    judge.undo_message()
    assert find_changes(judge) == [value]
    assert send(value, judge, student) is copy


def test_number_that_this_side_never_assigned_is_refused() -> None:
    judge, _ = make_pair()
    with pytest.raises(WireFormatError):
        CODEC.decode(["m", 5, "l", []], judge)
