"""The audit hook calls the listeners of an event, and no others."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.policies.audit_hook import listen_to_events, with_caller

EVENT, OTHER_EVENT = "pmh.test-event", "pmh.other-event"


def test_listener_receives_its_events_until_the_block_ends() -> None:
    received: list[tuple[str, tuple[Any, ...]]] = []

    def listener(event: str, arguments: tuple[Any, ...]) -> None:
        received.append((event, arguments))

    with listen_to_events([EVENT], listener):
        sys.audit(EVENT, 1)
        sys.audit(OTHER_EVENT, 2)
    sys.audit(EVENT, 3)
    assert received == [(EVENT, (1,))]


def test_two_listeners_of_one_event_both_receive_it() -> None:
    received: list[str] = []

    def outer(event: str, arguments: tuple[Any, ...]) -> None:
        received.append("outer")

    def inner(event: str, arguments: tuple[Any, ...]) -> None:
        received.append("inner")

    with listen_to_events([EVENT], outer):
        with listen_to_events([EVENT, OTHER_EVENT], inner):
            sys.audit(EVENT)
        sys.audit(EVENT)
        sys.audit(OTHER_EVENT)
    assert received == ["outer", "inner", "outer"]


def test_exception_of_a_listener_is_raised_by_the_audited_operation() -> None:
    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        raise PermissionError(event)

    with listen_to_events([EVENT], refuse), pytest.raises(PermissionError, match=EVENT):
        sys.audit(EVENT)


def test_listener_receives_the_frame_that_caused_the_event() -> None:
    callers: list[str] = []

    def record_caller(event: str, arguments: tuple[Any, ...], caller: FrameType | None) -> None:
        assert caller is not None
        callers.append(caller.f_code.co_name)

    def cause_event() -> None:
        sys.audit(EVENT)

    with listen_to_events([EVENT], with_caller(record_caller)):
        cause_event()
    assert callers == ["cause_event"]


def test_events_that_a_listener_causes_reach_the_other_listeners_alone() -> None:
    received: list[str] = []

    def cause_another(event: str, arguments: tuple[Any, ...], caller: FrameType | None) -> None:
        received.append(event)
        sys.audit(OTHER_EVENT)

    def other(event: str, arguments: tuple[Any, ...]) -> None:
        received.append(f"other {event}")

    with listen_to_events([EVENT, OTHER_EVENT], with_caller(cause_another)), listen_to_events([OTHER_EVENT], other):
        sys.audit(EVENT)
    assert received == [EVENT, f"other {OTHER_EVENT}"]
