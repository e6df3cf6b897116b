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

from pmh_jupyter.errors import NotSaved, Unavailable
from pmh_jupyter.server_extension.error_replies import ServiceError
from pmh_jupyter.server_extension.outbox import Outbox, OutboxEntry, StoredEntry
from pmh_jupyter.server_extension.service_client import ServiceClient, ServiceResponse
from pmh_jupyter.wire.lab import LabSubmissionReply
from pmh_jupyter.wire.submission import SubmissionReply

# Answers after which the same request may well succeed: log in again, slow down, come back.
TOO_MANY_REQUESTS = 429
RETRYABLE_STATUSES = frozenset({401, 408, TOO_MANY_REQUESTS, 502, 503, 504})
INITIAL_BACKOFF_SECONDS = 2.0
MAX_BACKOFF_SECONDS = 300.0
MAX_RETRY_AFTER_SECONDS = 3600.0
JITTER_FRACTION = 0.2
# A fault of the service's that stays is taken for final, or one entry would hold up all behind it.
MAX_SERVER_ERROR_ATTEMPTS = 5
REPLY_TIMEOUT_SECONDS = 25.0

PauseFunction = Callable[[asyncio.Event, float | None], Awaitable[None]]


@dataclass
class SendAttempts:
    """How often an entry was tried since this server started, and what came of the last try."""

    count: int = 0
    last_error: str = ""


async def wait_for_event(event: asyncio.Event, seconds: float | None) -> None:
    """Waits for the event, at most so many seconds (None: without end)."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


class OutboxSender:
    """The loop that empties the outbox. `pause` and `uniform` are the clock and the dice, for tests."""

    def __init__(
        self,
        outbox: Outbox,
        service: ServiceClient,
        log: logging.Logger,
        *,
        pause: PauseFunction = wait_for_event,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._outbox = outbox
        self._service = service
        self._log = log
        self._pause = pause
        self._uniform = uniform
        self._wake = asyncio.Event()
        self._is_rate_limited = False
        self._consecutive_failures = 0
        self._attempts: dict[UUID, SendAttempts] = {}
        self._reply_futures: dict[UUID, asyncio.Future[LabSubmissionReply | None]] = {}
        self._round_futures: list[asyncio.Future[None]] = []
        self._send_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, or begins again should the loop have ended by a fault of ours."""
        if self._send_task is None or self._send_task.done():
            self._send_task = asyncio.create_task(self._run_loop())
            self._send_task.add_done_callback(self._on_task_done)

    async def stop(self) -> None:
        if self._send_task is not None:
            self._send_task.cancel()
            await asyncio.gather(self._send_task, return_exceptions=True)

    def get_attempts(self, entry_id: UUID) -> SendAttempts:
        return self._attempts.get(entry_id, SendAttempts())

    async def send_now(self, entry_id: UUID) -> LabSubmissionReply | None:
        """Tries at once, and waits a little for what becomes of the entry `id`.

        Returns what the service said of it, or None while it stays in the outbox. Raises Refusal for a final no, of which
        nothing is kept then: whoever asked has been told.
        """
        if self._is_rate_limited or entry_id in self._reply_futures:
            return None
        reply_future: asyncio.Future[LabSubmissionReply | None] = asyncio.get_running_loop().create_future()
        self._reply_futures[entry_id] = reply_future
        try:
            self.start()
            self._wake.set()
            async with asyncio.timeout(REPLY_TIMEOUT_SECONDS):
                return await reply_future
        except TimeoutError:
            return None
        finally:
            del self._reply_futures[entry_id]

    async def send_all_now(self) -> None:
        """Tries all at once, and returns when they were tried, or after a little while."""
        if self._is_rate_limited:
            return
        round_future = asyncio.get_running_loop().create_future()
        self._round_futures.append(round_future)
        self.start()
        self._wake.set()
        await asyncio.wait([round_future], timeout=REPLY_TIMEOUT_SECONDS)

    async def send_unsaved(self, entry: OutboxEntry, body: bytes) -> LabSubmissionReply:
        """Sends what the disk would not take. Raises Refusal or Unavailable; there is no second try."""
        return _to_lab_reply(entry, await self._post(entry, body), self._log)

    async def _run_loop(self) -> None:
        while True:
            self._wake.clear()
            pause_seconds = await self._send_all()
            if not self._wake.is_set():
                # Whoever still listens asked for something that was sent a moment before they asked.
                self._resolve_all_replies()
            for round_future in self._round_futures:
                round_future.set_result(None)
            self._round_futures.clear()
            # Between asking to wait and the time being up nobody may try, however often a button is pressed.
            await self._pause(asyncio.Event() if self._is_rate_limited else self._wake, pause_seconds)
            self._is_rate_limited = False

    def _on_task_done(self, send_task: asyncio.Task[None]) -> None:
        if not send_task.cancelled() and (error := send_task.exception()) is not None:
            self._log.error("pmh: sending stopped by a fault of ours; it goes on with the next request", exc_info=error)
            self._resolve_all_replies()

    async def _send_all(self) -> float | None:
        """Sends in order until one cannot be sent; returns the seconds to pause then, None when nothing is left."""
        try:
            for stored in await asyncio.to_thread(self._outbox.list_waiting):
                pause_seconds = await self._send_entry(stored)
                if pause_seconds is not None:
                    self._resolve_all_replies()
                    return pause_seconds
        except (OSError, NotSaved) as error:
            self._log.error("pmh: the outbox cannot be read or written: %s", error)
            self._resolve_all_replies()
            return self._next_backoff()
        return None

    async def _send_entry(self, stored: StoredEntry) -> float | None:
        outbox_entry = stored.entry
        attempts = self._attempts.setdefault(outbox_entry.id, SendAttempts())
        attempts.count += 1
        try:
            response = await self._post(outbox_entry, await asyncio.to_thread(stored.read_body))
        except Unavailable as error:
            return self._schedule_retry(outbox_entry, attempts, error.message, self._retry_delay(error.retry_after))
        except ServiceError as service_error:
            if _is_retryable(service_error, attempts.count):
                self._is_rate_limited = (
                    service_error.status == TOO_MANY_REQUESTS and service_error.retry_after is not None
                )
                return self._schedule_retry(
                    outbox_entry, attempts, service_error.reply.message, self._retry_delay(service_error.retry_after)
                )
            await self._handle_refusal(stored, service_error)
        else:
            await asyncio.to_thread(self._outbox.remove, stored)
            self._resolve_reply(outbox_entry.id, _to_lab_reply(outbox_entry, response, self._log))
        self._consecutive_failures = 0
        self._attempts.pop(outbox_entry.id, None)
        return None

    async def _post(self, entry: OutboxEntry, body: bytes) -> ServiceResponse:
        endpoint = "checks" if entry.kind == "check" else "submissions"
        path = f"classrooms/{entry.classroom}/lessons/{entry.lesson}/{endpoint}"
        return await self._service.send("POST", path, body, entry.request_id)

    def _schedule_retry(
        self, entry: OutboxEntry, attempts: SendAttempts, error_message: str, delay_seconds: float
    ) -> float:
        attempts.last_error = error_message
        self._log.warning(
            "pmh: %s %s is kept and tried again in %.0f s: %s [request %s]",
            entry.kind,
            entry.id,
            delay_seconds,
            error_message,
            entry.request_id,
        )
        return delay_seconds

    def _retry_delay(self, retry_after: float | None) -> float:
        """Seconds until the next try: as long as asked for; where it goes on failing, longer and longer."""
        if retry_after is None:
            return self._next_backoff()
        delay = self._add_jitter(min(retry_after, MAX_RETRY_AFTER_SECONDS))
        return delay if self._is_rate_limited else max(delay, self._next_backoff())

    def _next_backoff(self) -> float:
        seconds = min(INITIAL_BACKOFF_SECONDS * 2.0 ** min(self._consecutive_failures, 20), MAX_BACKOFF_SECONDS)
        self._consecutive_failures += 1
        return self._add_jitter(seconds)

    def _add_jitter(self, seconds: float) -> float:
        """Later by up to a fifth, so that a class does not come back in the same second."""
        return seconds * (1 + self._uniform(0, JITTER_FRACTION))

    async def _handle_refusal(self, stored: StoredEntry, service_error: ServiceError) -> None:
        self._log.warning(
            "pmh: %s %s was refused: %s [request %s]",
            stored.entry.kind,
            stored.entry.id,
            service_error,
            stored.entry.request_id,
        )
        reply_future = self._reply_futures.get(stored.entry.id)
        if reply_future is not None and not reply_future.done():
            await asyncio.to_thread(self._outbox.remove, stored)
            reply_future.set_exception(service_error)
        else:
            await asyncio.to_thread(self._outbox.move_to_refused, stored, service_error.reply.message)

    def _resolve_reply(self, entry_id: UUID, reply: LabSubmissionReply | None) -> None:
        reply_future = self._reply_futures.get(entry_id)
        if reply_future is not None and not reply_future.done():
            reply_future.set_result(reply)

    def _resolve_all_replies(self) -> None:
        for entry_id in self._reply_futures:
            self._resolve_reply(entry_id, None)


def _is_retryable(service_error: ServiceError, attempt_count: int) -> bool:
    return service_error.status in RETRYABLE_STATUSES or (
        service_error.status >= 500 and attempt_count < MAX_SERVER_ERROR_ATTEMPTS
    )


def _to_lab_reply(entry: OutboxEntry, response: ServiceResponse, log: logging.Logger) -> LabSubmissionReply:
    """What the panel is told. An accepted request whose reply cannot be read is accepted all the same."""
    try:
        submission = SubmissionReply.model_validate_json(response.body)
    except ValidationError as error:
        log.error("pmh: the reply to %s cannot be read: %s [request %s]", entry.id, error, entry.request_id)
        return LabSubmissionReply(id=entry.id, kind=entry.kind, state="queued")
    return LabSubmissionReply(
        id=submission.id, kind=submission.kind, state=submission.state, receipt=submission.receipt
    )
