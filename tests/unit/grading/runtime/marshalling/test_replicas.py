"""Replicas keep their identity, and each side receives the changes of the other."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.grading.runtime.marshalling.codec import Codec
from pmh_jupyter.grading.runtime.marshalling.replicas import Replicas
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
    (changed,) = student.find_changed_values([], only_remote=False)
    assert changed is copy["a"]
    send(changed, student, judge)
    assert value == {"a": [1, 2]}
    assert not student.find_changed_values([], only_remote=False)


def test_changed_values_of_the_judge_are_not_sent_unless_they_are_passed() -> None:
    judge, student = make_pair()
    value = [1]
    send(value, judge, student)
    value.append(2)
    assert not judge.find_changed_values([], only_remote=True) and judge.find_changed_values([], only_remote=False) == (
        value,
    )


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


def test_number_that_this_side_never_assigned_is_refused() -> None:
    judge, _ = make_pair()
    with pytest.raises(WireFormatError):
        CODEC.decode(["m", 5, "l", []], judge)
