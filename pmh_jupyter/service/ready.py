"""Whether this process can do its work: the database answers, its schema is ours, and a canary was graded through the wall."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pmh_jupyter.errors import PmhError
from pmh_jupyter.service.logs import log

CACHE_SECONDS = 30.0
CHECK_SECONDS = 25.0


@dataclass(frozen=True)
class Part:
    """One thing that must be there; `code` and `advice` say what is wrong and what to do where it is not."""

    name: str
    ready: bool
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
        self._known: tuple[Part, ...] = ()
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def parts(self) -> tuple[Part, ...]:
        """All parts as they were at most 30 seconds ago."""
        async with self._asking:
            if not self._known or self._clock() >= self._until:
                self._known = tuple([await self._ask(name, check) for name, check in self._checks.items()])
                self._until = self._clock() + CACHE_SECONDS
        return self._known

    async def _ask(self, name: str, check: Callable[[], Awaitable[None]]) -> Part:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await check()
        except PmhError as error:
            log.warning("not ready", part=name, code=error.code, reason=error.message)
            return Part(name, False, error.code, error.message, error.advice)
        except TimeoutError:
            log.warning("not ready", part=name, code="timeout")
            return Part(name, False, "timeout", f"No answer within {CHECK_SECONDS:.0f} seconds.", "Look at its log.")
        return Part(name, True)
