"""Maps a function over many items on several threads: lazily, with a bounded number of items in flight."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def map_in_parallel(
    function: Callable[[ItemT], ResultT], items: Iterable[ItemT], thread_count: int
) -> Iterator[ResultT]:
    """Yield the results in the order in which they finish; raises what `function` raises.

    The threads are daemons and are not waited for when the caller stops early, so that an interrupted run ends at once.
    """
    pending_items: queue.Queue[ItemT] = queue.Queue()
    results: queue.Queue[ResultT | BaseException] = queue.Queue()

    def run_worker() -> None:
        while True:
            item = pending_items.get()
            try:
                results.put(function(item))
            except BaseException as error:  # noqa: BLE001 (raised again in the caller)
                results.put(error)

    for number in range(thread_count):
        threading.Thread(target=run_worker, name=f"grade-{number}", daemon=True).start()
    in_flight = 0
    remaining_items = iter(items)
    while True:
        # One more item than threads is in flight, so that no thread is idle while the caller handles a result.
        while in_flight <= thread_count and (next_item := next(remaining_items, None)) is not None:
            pending_items.put(next_item)
            in_flight += 1
        if not in_flight:
            return
        result = results.get()
        in_flight -= 1
        if isinstance(result, BaseException):
            raise result
        yield result
