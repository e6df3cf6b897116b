"""Whether this process can do its work: the database answers, its schema is ours, and a canary was graded through the wall."""

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
    """One thing that must be there; `code` and `advice` say what is wrong and what to do where it is not."""

    name: str
    is_ready: bool
    code: str = ""
    message: str = ""
    advice: str = ""


class Readiness:
    """Asks every part at most once in 30 seconds, and once for everybody who asks meanwhile.

    `checks` maps a part's name to what raises PmhError where it is not ready.
    """

    def __init__(self, checks: Mapping[str, Callable[[], Awaitable[None]]], clock: Callable[[], float]) -> None:
        self._checks = checks
        self._clock = clock
        self._cached_statuses: tuple[ComponentStatus, ...] = ()
        self._cached_until = 0.0
        self._check_lock = asyncio.Lock()

    async def check_components(self) -> tuple[ComponentStatus, ...]:
        """All parts as they were at most 30 seconds ago."""
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
            log.warning("not ready", part=name, code=error.code, reason=error.message)
            return ComponentStatus(name, False, error.code, error.message, error.advice)
        except TimeoutError:
            log.warning("not ready", part=name, code="timeout")
            return ComponentStatus(
                name, False, "timeout", f"No answer within {CHECK_TIMEOUT_SECONDS:.0f} seconds.", "Look at its log."
            )
        return ComponentStatus(name, True)
