"""The judge's one audit hook: whoever wants to hear of an event is entered here for as long as that is so.

Python calls a hook for hundreds of events of each test cell (`id` is one), and nothing takes it off: so there is one, and it is short.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Hear = Callable[[str, tuple[Any, ...]], None]
_HEARING: dict[str, Hear] = {}
_INSTALLED: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...], find: Callable[[str], Hear | None] = _HEARING.get) -> None:
    hear = find(event)
    if hear is not None:
        hear(event, arguments)


@contextmanager
def hearing(events: Iterable[str], hear: Hear) -> Iterator[None]:
    """`hear(event, arguments)` is called for these events, which nobody else hears; two frames above it is who caused them."""
    if not _INSTALLED:
        _INSTALLED.append(True)
        sys.addaudithook(_hook)
    events = tuple(events)
    _HEARING.update(dict.fromkeys(events, hear))
    try:
        yield
    finally:
        for event in events:
            _HEARING.pop(event, None)
