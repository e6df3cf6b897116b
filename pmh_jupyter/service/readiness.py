"""Checks whether this process is ready: the database responds, its schema is current, and the canary gets its known verdicts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pmh_jupyter.errors import PmhError
from pmh_jupyter.service.logs import log

STATUS_CACHE_SECONDS = 30.0
CHECK_TIMEOUT_SECONDS = 25.0


@dataclass(frozen=True)
class ComponentStatus:
    """Whether a required component is ready. If not, `code`, `message` and `advice` describe the error."""

    name: str
    is_ready: bool
    code: str = ""
    message: str = ""
    advice: str = ""


class Readiness:
    """Checks all components and caches the result for STATUS_CACHE_SECONDS. Concurrent callers share one check.

    checks: by name of the component, a function that raises PmhError if the component is not ready.
    clock: monotonic seconds.
    """

    def __init__(self, checks: Mapping[str, Callable[[], Awaitable[None]]], clock: Callable[[], float]) -> None:
        self._checks = checks
        self._clock = clock
        self._cached_statuses: tuple[ComponentStatus, ...] = ()
        self._cached_until = 0.0
        self._check_lock = asyncio.Lock()

    async def check_components(self) -> tuple[ComponentStatus, ...]:
        """Return the status of all components, at most STATUS_CACHE_SECONDS old."""
        async with self._check_lock:
            if not self._cached_statuses or self._clock() >= self._cached_until:
                self._cached_statuses = tuple(
                    [await self._check_component(name, check) for name, check in self._checks.items()]
                )
                self._cached_until = self._clock() + STATUS_CACHE_SECONDS
        return self._cached_statuses

    async def _check_component(self, name: str, check: Callable[[], Awaitable[None]]) -> ComponentStatus:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
                await check()
        except PmhError as error:
            log.warning("component not ready", component=name, code=error.code, reason=error.message)
            return ComponentStatus(name, False, error.code, error.message, error.advice)
        except TimeoutError:
            log.warning("component not ready", component=name, code="timeout")
            message = f"The check did not finish within {CHECK_TIMEOUT_SECONDS:.0f} seconds."
            return ComponentStatus(name, False, "timeout", message, "See the service's log for the cause.")
        return ComponentStatus(name, True)
