"""The judge's one audit hook: whoever wants to hear of an event is entered here for as long as that is so.

Python calls a hook for hundreds of events of each test cell (`id` is one), and nothing takes it off: so there is one, and it is short.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

AuditListener = Callable[[str, tuple[Any, ...]], None]
_LISTENERS: dict[str, AuditListener] = {}
_INSTALLED: list[bool] = []


def _hook(
    event: str, arguments: tuple[Any, ...], find_listener: Callable[[str], AuditListener | None] = _LISTENERS.get
) -> None:
    listener = find_listener(event)
    if listener is not None:
        listener(event, arguments)


@contextmanager
def listen_to_events(events: Iterable[str], listener: AuditListener) -> Iterator[None]:
    """`hear(event, arguments)` is called for these events, which nobody else hears; two frames above it is who caused them."""
    if not _INSTALLED:
        _INSTALLED.append(True)
        sys.addaudithook(_hook)
    events = tuple(events)
    _LISTENERS.update(dict.fromkeys(events, listener))
    try:
        yield
    finally:
        for event in events:
            _LISTENERS.pop(event, None)
