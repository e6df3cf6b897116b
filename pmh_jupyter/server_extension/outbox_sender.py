"""Sends the outbox to the service: in order, one entry at a time, until each entry is accepted or rejected for good.

The service recognizes a repeated request by the id of the entry. An entry is therefore deleted only after the service has replied:
if the server is killed in between, the entry is sent twice and counted once.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID

from pydantic import ValidationError

from pmh_jupyter.errors import NotSaved, Unavailable
from pmh_jupyter.server_extension.error_replies import ServiceError
from pmh_jupyter.server_extension.outbox import Outbox, OutboxEntry, StoredEntry
from pmh_jupyter.server_extension.send_queue import SendQueue
from pmh_jupyter.server_extension.service_client import ServiceClient, ServiceResponse
from pmh_jupyter.wire.lab import LabSubmissionReply
from pmh_jupyter.wire.submission import SubmissionReply

TOO_MANY_REQUESTS = 429
# After these, the same request may succeed later: log in again, slow down, wait until the service is back.
RETRYABLE_STATUSES = frozenset({401, 408, TOO_MANY_REQUESTS, 502, 503, 504})
INITIAL_BACKOFF_SECONDS = 2.0
MAX_BACKOFF_SECONDS = 300.0
MAX_RETRY_AFTER_SECONDS = 3600.0
JITTER_FRACTION = 0.2
# A persistent server error counts as a rejection, because otherwise one entry would block all entries after it.
MAX_SERVER_ERROR_SENDS = 5
REPLY_TIMEOUT_SECONDS = 25.0

PauseFunction = Callable[[asyncio.Event, float | None], Awaitable[None]]


@dataclass
class DeliveryState:
    """How often an entry was sent since this server started, and why the last delivery failed."""

    send_count: int = 0
    last_error: str = ""


async def wait_for_event(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for the event, at most `seconds` (None: without limit)."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


class OutboxSender:
    """The background task that empties the outbox. Tests replace `pause` and `uniform` (random.uniform)."""

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
        self._queue = SendQueue(outbox)
        self._service = service
        self._log = log
        self._pause = pause
        self._uniform = uniform
        self._wake = asyncio.Event()
        self._is_rate_limited = False
        self._consecutive_failures = 0
        self._deliveries: dict[UUID, DeliveryState] = {}
        self._reply_futures: dict[UUID, asyncio.Future[LabSubmissionReply | None]] = {}
        self._round_futures: list[asyncio.Future[None]] = []
        self._send_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task. Restarts it if an unexpected error has ended it."""
        if self._send_task is None or self._send_task.done():
            self._send_task = asyncio.create_task(self._run_loop())
            self._send_task.add_done_callback(self._on_task_done)

    async def stop(self) -> None:
        """End the task. Unsent entries stay on disk."""
        if self._send_task is not None:
            self._send_task.cancel()
            await asyncio.gather(self._send_task, return_exceptions=True)

    def get_delivery(self, entry_id: UUID) -> DeliveryState:
        """Return how often an entry that is still waiting was sent, and the last error."""
        return self._deliveries.get(entry_id, DeliveryState())

    async def send_now(self, stored_entry: StoredEntry) -> LabSubmissionReply | None:
        """Queue an entry of the outbox, send the queue without delay, and wait up to REPLY_TIMEOUT_SECONDS for the reply.

        Returns None if the entry has to wait. Raises ServiceError if the service rejects it for good. The entry is deleted
        in that case, because the caller reports the rejection to the student.
        """
        entry_id = stored_entry.entry.id
        if self._is_rate_limited:
            self._queue.put(stored_entry.drop_body())
            return None
        self._queue.put(stored_entry)
        if entry_id in self._reply_futures:
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
        """Read the outbox from disk and send it without delay. Returns after one round, or after REPLY_TIMEOUT_SECONDS."""
        self._queue.request_load()
        if self._is_rate_limited:
            return
        round_future = asyncio.get_running_loop().create_future()
        self._round_futures.append(round_future)
        self.start()
        self._wake.set()
        await asyncio.wait([round_future], timeout=REPLY_TIMEOUT_SECONDS)

    async def send_unsaved(self, entry: OutboxEntry, body: bytes) -> LabSubmissionReply:
        """Send an entry that could not be written to disk, once. Raises ServiceError or Unavailable."""
        return _to_lab_reply(entry, await self._post(entry, body), self._log)

    async def _run_loop(self) -> None:
        while True:
            self._wake.clear()
            pause_seconds = await self._send_all()
            if not self._wake.is_set():
                # Callers whose entry was sent before they began to wait.
                self._resolve_all_replies()
            for round_future in self._round_futures:
                round_future.set_result(None)
            self._round_futures.clear()
            # While the service asks to wait, nothing is sent, even if the student clicks "Try now".
            await self._pause(asyncio.Event() if self._is_rate_limited else self._wake, pause_seconds)
            self._is_rate_limited = False

    def _on_task_done(self, send_task: asyncio.Task[None]) -> None:
        if not send_task.cancelled() and (error := send_task.exception()) is not None:
            self._log.error("pmh: sending stopped by an unexpected error; the next request restarts it", exc_info=error)
            self._resolve_all_replies()

    async def _send_all(self) -> float | None:
        """Send entries in order until one cannot be sent. Returns the seconds to pause then, None if the queue is empty."""
        try:
            await self._queue.load()
            while (stored_entry := self._queue.get_first()) is not None:
                pause_seconds = await self._send_entry(stored_entry)
                if pause_seconds is not None:
                    self._queue.release_bodies()
                    self._resolve_all_replies()
                    return pause_seconds
        except (OSError, NotSaved) as error:
            self._log.error("pmh: the outbox cannot be read or written: %s", error)
            self._queue.release_bodies()
            self._resolve_all_replies()
            return self._compute_next_backoff()
        return None

    async def _send_entry(self, stored_entry: StoredEntry) -> float | None:
        """Send an entry. Returns the seconds to pause if it has to be sent again."""
        entry = stored_entry.entry
        delivery = self._deliveries.setdefault(entry.id, DeliveryState())
        delivery.send_count += 1
        try:
            body = await asyncio.to_thread(stored_entry.read_body)
            response = await self._post(entry, body)
        except FileNotFoundError:
            self._log.info("pmh: %s %s is no longer in the outbox [request %s]", entry.kind, entry.id, entry.request_id)
            self._resolve_reply(entry.id, None)
        except Unavailable as error:
            return self._schedule_retry(entry, delivery, error.message, self._compute_retry_delay(error.retry_after))
        except ServiceError as error:
            if _is_retryable(error, delivery.send_count):
                self._is_rate_limited = error.status == TOO_MANY_REQUESTS and error.retry_after is not None
                return self._schedule_retry(
                    entry, delivery, error.reply.message, self._compute_retry_delay(error.retry_after)
                )
            await self._handle_rejection(replace(stored_entry, body=body), error)
        else:
            await asyncio.to_thread(self._outbox.remove, stored_entry)
            self._resolve_reply(entry.id, _to_lab_reply(entry, response, self._log))
        self._queue.remove(stored_entry)
        self._consecutive_failures = 0
        self._deliveries.pop(entry.id, None)
        return None

    async def _post(self, entry: OutboxEntry, body: bytes) -> ServiceResponse:
        endpoint = "checks" if entry.kind == "check" else "submissions"
        path = f"classrooms/{entry.classroom}/lessons/{entry.lesson}/{endpoint}"
        return await self._service.send("POST", path, body, entry.request_id)

    def _schedule_retry(
        self, entry: OutboxEntry, delivery: DeliveryState, error_message: str, delay_seconds: float
    ) -> float:
        delivery.last_error = error_message
        self._log.warning(
            "pmh: %s %s was not sent; sending again in %.0f s: %s [request %s]",
            entry.kind,
            entry.id,
            delay_seconds,
            error_message,
            entry.request_id,
        )
        return delay_seconds

    def _compute_retry_delay(self, retry_after: float | None) -> float:
        """Return the seconds until the entry is sent again: exponential backoff, but not less than the service asked for."""
        if retry_after is None:
            return self._compute_next_backoff()
        delay = self._add_jitter(min(retry_after, MAX_RETRY_AFTER_SECONDS))
        return delay if self._is_rate_limited else max(delay, self._compute_next_backoff())

    def _compute_next_backoff(self) -> float:
        seconds = min(INITIAL_BACKOFF_SECONDS * 2.0 ** min(self._consecutive_failures, 20), MAX_BACKOFF_SECONDS)
        self._consecutive_failures += 1
        return self._add_jitter(seconds)

    def _add_jitter(self, seconds: float) -> float:
        """Lengthen a delay by up to JITTER_FRACTION, so that the servers of a class do not retry in the same second."""
        return seconds * (1 + self._uniform(0, JITTER_FRACTION))

    async def _handle_rejection(self, stored_entry: StoredEntry, error: ServiceError) -> None:
        entry = stored_entry.entry
        self._log.warning("pmh: %s %s was rejected: %s [request %s]", entry.kind, entry.id, error, entry.request_id)
        reply_future = self._reply_futures.get(entry.id)
        if reply_future is not None and not reply_future.done():
            await asyncio.to_thread(self._outbox.remove, stored_entry)
            # If the caller has stopped waiting during the removal, the student learns of the rejection from the outbox.
            if not reply_future.done():
                reply_future.set_exception(error)
                return
        await asyncio.to_thread(self._outbox.move_to_rejected, stored_entry, error.reply.message)

    def _resolve_reply(self, entry_id: UUID, reply: LabSubmissionReply | None) -> None:
        reply_future = self._reply_futures.get(entry_id)
        if reply_future is not None and not reply_future.done():
            reply_future.set_result(reply)

    def _resolve_all_replies(self) -> None:
        for entry_id in self._reply_futures:
            self._resolve_reply(entry_id, None)


def _is_retryable(error: ServiceError, send_count: int) -> bool:
    return error.status in RETRYABLE_STATUSES or (error.status >= 500 and send_count < MAX_SERVER_ERROR_SENDS)


def _to_lab_reply(entry: OutboxEntry, response: ServiceResponse, log: logging.Logger) -> LabSubmissionReply:
    """Return the reply for the panel. The service has accepted the request, even if its reply cannot be read."""
    try:
        submission = SubmissionReply.model_validate_json(response.body)
    except ValidationError as error:
        log.error("pmh: the reply to %s cannot be read: %s [request %s]", entry.id, error, entry.request_id)
        return LabSubmissionReply(id=entry.id, kind=entry.kind, state="queued")
    return LabSubmissionReply(
        id=submission.id, kind=submission.kind, state=submission.state, receipt=submission.receipt
    )
