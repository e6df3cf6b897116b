"""A function over many things on several threads: lazily, a bounded number in flight, results as they come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(work: Callable[[T], R], things: Iterable[T], jobs: int) -> Iterator[R]:
    """The results in the order in which they are there; raises what `work` raises.

    The threads are daemons and are not waited for when the caller stops early: who is interrupted leaves at once.
    """
    todo: queue.Queue[T] = queue.Queue()
    done: queue.Queue[R | BaseException] = queue.Queue()

    def run() -> None:
        while True:
            thing = todo.get()
            try:
                done.put(work(thing))
            except BaseException as error:  # noqa: BLE001 (it is the caller's)
                done.put(error)

    for number in range(jobs):
        threading.Thread(target=run, name=f"grade-{number}", daemon=True).start()
    flying = 0
    coming = iter(things)
    while True:
        # One more than there are threads waits, so that none is idle while a result is told.
        while flying <= jobs and (next_one := next(coming, None)) is not None:
            todo.put(next_one)
            flying += 1
        if not flying:
            return
        result = done.get()
        flying -= 1
        if isinstance(result, BaseException):
            raise result
        yield result
