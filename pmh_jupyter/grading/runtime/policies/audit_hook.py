"""The audit hook of this process, and the listeners that are registered with it.

Python calls an audit hook for hundreds of events of each test cell (`id` raises one), and a hook cannot be removed. So there is one hook
for all policies. It is installed when the first listener is registered, and does nothing for an event without a listener.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import get_ident
from types import FrameType
from typing import Any

AuditListener = Callable[[str, tuple[Any, ...]], None]
CallerAwareListener = Callable[[str, tuple[Any, ...], FrameType | None], None]
_LISTENERS: dict[str, tuple[AuditListener, ...]] = {}
_INSTALLED: list[bool] = []
_suspensions: list[bool] = []


def _forward_event(
    event: str,
    arguments: tuple[Any, ...],
    find_listeners: Callable[[str], tuple[AuditListener, ...] | None] = _LISTENERS.get,
) -> None:
    listeners = find_listeners(event)
    if listeners is not None:
        for listener in listeners:
            listener(event, arguments)


def add_listener(events: Iterable[str], listener: AuditListener) -> None:
    """Call `listener(event, arguments)` for these events from now on. An exception that it raises is raised by the audited operation."""
    if not _INSTALLED:
        _INSTALLED.append(True)
        sys.addaudithook(_forward_event)
    for event in events:
        _LISTENERS[event] = (*_LISTENERS.get(event, ()), listener)


def remove_listener(events: Iterable[str], listener: AuditListener) -> None:
    """Stop calling a listener that was registered for these events."""
    for event in events:
        remaining_listeners = tuple(other for other in _LISTENERS.get(event, ()) if other is not listener)
        if remaining_listeners:
            _LISTENERS[event] = remaining_listeners
        else:
            _LISTENERS.pop(event, None)


@contextmanager
def listen_to_events(events: Iterable[str], listener: AuditListener) -> Iterator[None]:
    """Register a listener for the duration of a `with` block."""
    events = tuple(events)
    add_listener(events, listener)
    try:
        yield
    finally:
        remove_listener(events, listener)


@contextmanager
def suspend_policies() -> Iterator[None]:
    """Do without policies in a `with` block that runs only trusted cells.

    The warm-up of the fork server uses it: an audit hook that it installed would be inherited by every process forked later.
    """
    _suspensions.append(True)
    try:
        yield
    finally:
        _suspensions.pop()


def are_policies_suspended() -> bool:
    """Return whether a policy must not register listeners."""
    return bool(_suspensions)


def with_caller(listener: CallerAwareListener) -> AuditListener:
    """Make a listener that also receives the frame that caused the event (None for a thread's first call).

    While the listener runs, events that its own thread causes do not reach it. They still reach the other listeners: a listener may run
    code of a test or of the student, which their policies must see.
    """
    busy_threads: set[int] = set()
    find_thread_id = get_ident

    def handle_event(event: str, arguments: tuple[Any, ...]) -> None:
        thread_id = find_thread_id()
        if thread_id in busy_threads:
            return
        busy_threads.add(thread_id)
        try:
            listener(event, arguments, _find_caller())
        finally:
            busy_threads.discard(thread_id)

    return handle_event


def _find_caller() -> FrameType | None:
    """Return the frame below `_find_caller`, `handle_event` and `_forward_event`."""
    try:
        return sys._getframe(3)
    except ValueError:
        return None
