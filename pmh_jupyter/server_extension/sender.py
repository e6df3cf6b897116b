"""Sends the outbox to the service: in order, one at a time, again and again until each entry is accepted or finally refused.

The id of an entry makes a repeat harmless at the service, so an entry is removed only after the answer: killed in between, it
is sent once more and counted once.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError

from pmh_jupyter.errors import NotKept, Unavailable
from pmh_jupyter.server_extension.client import Answer, ServiceClient
from pmh_jupyter.server_extension.failures import Refusal
from pmh_jupyter.server_extension.outbox import Entry, Outbox, Unsent
from pmh_jupyter.wire.lab import LabWorkReply
from pmh_jupyter.wire.work import WorkReply

# Answers after which the same request may well succeed: log in again, slow down, come back.
TOO_FAST = 429
PASSING = frozenset({401, 408, TOO_FAST, 502, 503, 504})
FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 300.0
LONGEST_RETRY_AFTER_SECONDS = 3600.0
JITTER = 0.2
# A fault of the service's that stays is taken for final, or one entry would hold up all behind it.
TRIES_AT_A_FAULT = 5
PATIENCE_SECONDS = 25.0

Pause = Callable[[asyncio.Event, float | None], Awaitable[None]]


@dataclass
class Tries:
    """How often an entry was tried since this server started, and what came of the last try."""

    count: int = 0
    last_error: str = ""


async def pause_until(event: asyncio.Event, seconds: float | None) -> None:
    """Waits for the event, at most so many seconds (None: without end)."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


class Sender:
    """The loop that empties the outbox. `pause` and `uniform` are the clock and the dice, for tests."""

    def __init__(
        self,
        outbox: Outbox,
        service: ServiceClient,
        log: logging.Logger,
        *,
        pause: Pause = pause_until,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._outbox = outbox
        self._service = service
        self._log = log
        self._pause = pause
        self._uniform = uniform
        self._wake = asyncio.Event()
        self._asked_to_wait = False
        self._failures = 0
        self._tries: dict[UUID, Tries] = {}
        self._listeners: dict[UUID, asyncio.Future[LabWorkReply | None]] = {}
        self._tried: list[asyncio.Future[None]] = []
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, or begins again should the loop have ended by a fault of ours."""
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._run())
            self._loop.add_done_callback(self._report)

    async def stop(self) -> None:
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    def tries(self, id: UUID) -> Tries:
        return self._tries.get(id, Tries())

    async def send_now(self, id: UUID) -> LabWorkReply | None:
        """Tries at once, and waits a little for what becomes of the entry `id`.

        Returns what the service said of it, or None while it stays in the outbox. Raises Refusal for a final no, of which
        nothing is kept then: whoever asked has been told.
        """
        if self._asked_to_wait or id in self._listeners:
            return None
        listener: asyncio.Future[LabWorkReply | None] = asyncio.get_running_loop().create_future()
        self._listeners[id] = listener
        try:
            self.start()
            self._wake.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await listener
        except TimeoutError:
            return None
        finally:
            del self._listeners[id]

    async def send_all_now(self) -> None:
        """Tries all at once, and returns when they were tried, or after a little while."""
        if self._asked_to_wait:
            return
        tried = asyncio.get_running_loop().create_future()
        self._tried.append(tried)
        self.start()
        self._wake.set()
        await asyncio.wait([tried], timeout=PATIENCE_SECONDS)

    async def send_unkept(self, unsent: Unsent, body: bytes) -> LabWorkReply:
        """Sends what the disk would not take. Raises Refusal or Unavailable; there is no second try."""
        return _lab_reply(unsent, await self._post(unsent, body), self._log)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            seconds = await self._send_all()
            if not self._wake.is_set():
                # Whoever still listens asked for something that was sent a moment before they asked.
                self._answer_all_waiting()
            for tried in self._tried:
                tried.set_result(None)
            self._tried.clear()
            # Between asking to wait and the time being up nobody may try, however often a button is pressed.
            await self._pause(asyncio.Event() if self._asked_to_wait else self._wake, seconds)
            self._asked_to_wait = False

    def _report(self, loop: asyncio.Task[None]) -> None:
        if not loop.cancelled() and (error := loop.exception()) is not None:
            self._log.error("pmh: sending stopped by a fault of ours; it goes on with the next request", exc_info=error)
            self._answer_all_waiting()

    async def _send_all(self) -> float | None:
        """Sends in order until one cannot be sent; returns the seconds to pause then, None when nothing is left."""
        try:
            for entry in await asyncio.to_thread(self._outbox.waiting):
                seconds = await self._send(entry)
                if seconds is not None:
                    self._answer_all_waiting()
                    return seconds
        except (OSError, NotKept) as error:
            self._log.error("pmh: the outbox cannot be read or written: %s", error)
            self._answer_all_waiting()
            return self._backoff()
        return None

    async def _send(self, entry: Entry) -> float | None:
        unsent = entry.unsent
        tries = self._tries.setdefault(unsent.id, Tries())
        tries.count += 1
        try:
            answer = await self._post(unsent, await asyncio.to_thread(entry.body))
        except Unavailable as error:
            return self._later(unsent, tries, error.message, self._pause_after(error.retry_after))
        except Refusal as refusal:
            if _may_pass(refusal, tries.count):
                self._asked_to_wait = refusal.status == TOO_FAST and refusal.retry_after is not None
                return self._later(unsent, tries, refusal.reply.message, self._pause_after(refusal.retry_after))
            await self._give_up(entry, refusal)
        else:
            await asyncio.to_thread(self._outbox.remove, entry)
            self._tell(unsent.id, _lab_reply(unsent, answer, self._log))
        self._failures = 0
        self._tries.pop(unsent.id, None)
        return None

    async def _post(self, unsent: Unsent, body: bytes) -> Answer:
        rest = "checks" if unsent.kind == "check" else "submissions"
        path = f"classrooms/{unsent.classroom}/lessons/{unsent.lesson}/{rest}"
        return await self._service.send("POST", path, body, unsent.request_id)

    def _later(self, unsent: Unsent, tries: Tries, error: str, seconds: float) -> float:
        tries.last_error = error
        self._log.warning(
            "pmh: %s %s is kept and tried again in %.0f s: %s [request %s]",
            unsent.kind,
            unsent.id,
            seconds,
            error,
            unsent.request_id,
        )
        return seconds

    def _pause_after(self, retry_after: float | None) -> float:
        """Seconds until the next try: as long as asked for; where it goes on failing, longer and longer."""
        if retry_after is None:
            return self._backoff()
        asked = self._spread(min(retry_after, LONGEST_RETRY_AFTER_SECONDS))
        return asked if self._asked_to_wait else max(asked, self._backoff())

    def _backoff(self) -> float:
        seconds = min(FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures, 20), LONGEST_PAUSE_SECONDS)
        self._failures += 1
        return self._spread(seconds)

    def _spread(self, seconds: float) -> float:
        """Later by up to a fifth, so that a class does not come back in the same second."""
        return seconds * (1 + self._uniform(0, JITTER))

    async def _give_up(self, entry: Entry, refusal: Refusal) -> None:
        self._log.warning(
            "pmh: %s %s was refused: %s [request %s]",
            entry.unsent.kind,
            entry.unsent.id,
            refusal,
            entry.unsent.request_id,
        )
        listener = self._listeners.get(entry.unsent.id)
        if listener is not None and not listener.done():
            await asyncio.to_thread(self._outbox.remove, entry)
            listener.set_exception(refusal)
        else:
            await asyncio.to_thread(self._outbox.refuse, entry, refusal.reply.message)

    def _tell(self, id: UUID, reply: LabWorkReply | None) -> None:
        listener = self._listeners.get(id)
        if listener is not None and not listener.done():
            listener.set_result(reply)

    def _answer_all_waiting(self) -> None:
        for id in self._listeners:
            self._tell(id, None)


def _may_pass(refusal: Refusal, tries: int) -> bool:
    return refusal.status in PASSING or (refusal.status >= 500 and tries < TRIES_AT_A_FAULT)


def _lab_reply(unsent: Unsent, answer: Answer, log: logging.Logger) -> LabWorkReply:
    """What the panel is told. An accepted request whose reply cannot be read is accepted all the same."""
    try:
        work = WorkReply.model_validate_json(answer.body)
    except ValidationError as error:
        log.error("pmh: the reply to %s cannot be read: %s [request %s]", unsent.id, error, unsent.request_id)
        return LabWorkReply(id=unsent.id, kind=unsent.kind, state="queued")
    return LabWorkReply(id=work.id, kind=work.kind, state=work.state, receipt=work.receipt)
