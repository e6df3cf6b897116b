"""Notices that memory or stack ran out, and keeps results that came from it out of caches.

A parser that has no memory left fails for a source that is valid. Code that handles the error, because a submission may contain anything,
gets a result that is right for this moment only: it must not be remembered, and the process that reads submissions must not be reused
(`grading.reader_process`). So whatever handles a MemoryError or a RecursionError calls `record_exhaustion`, and whatever remembers results
between submissions is decorated with `remember_results`, not with `functools.lru_cache`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar, TypeVarTuple, Unpack

EXHAUSTION_ERRORS = (MemoryError, RecursionError)
ArgumentsT = TypeVarTuple("ArgumentsT")
ResultT = TypeVar("ResultT")

_count = 0


def record_exhaustion(error: BaseException | None) -> None:
    """Record an error that was handled, if it is one of EXHAUSTION_ERRORS, or was raised while one of these was handled."""
    global _count
    for _ in itertools.repeat(None, 100):  # a chain of errors may be a circle
        if error is None:
            return
        if isinstance(error, EXHAUSTION_ERRORS):
            _count += 1
            return
        error = error.__cause__ or error.__context__


def count_exhaustions() -> int:
    """Return how often this process has recorded an error."""
    return _count


class _UnreliableResult(BaseException):
    """Carries a result through the cache, which does not store errors."""

    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


def remember_results(
    max_size: int,
) -> Callable[[Callable[[Unpack[ArgumentsT]], ResultT]], Callable[[Unpack[ArgumentsT]], ResultT]]:
    """Return a decorator that remembers the results of the last calls, as `lru_cache`, except those during which an error was recorded."""

    def decorate(function: Callable[[Unpack[ArgumentsT]], ResultT]) -> Callable[[Unpack[ArgumentsT]], ResultT]:
        @lru_cache(max_size)
        def call(*arguments: *ArgumentsT) -> ResultT:
            count = _count
            result = function(*arguments)
            if _count != count:
                raise _UnreliableResult(result)
            return result

        @wraps(function)
        def call_or_remember(*arguments: *ArgumentsT) -> ResultT:
            try:
                return call(*arguments)
            except _UnreliableResult as unreliable:
                return unreliable.result  # type: ignore[return-value]  # the result of `function`

        return call_or_remember

    return decorate
