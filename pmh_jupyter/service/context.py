"""What every handler and job of one service process needs, made once at its start and handed on; no global state anywhere."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from pmh_jupyter.config import Settings
from pmh_jupyter.service.event_broadcaster import EventBroadcaster
from pmh_jupyter.service.hub_client import HubClient
from pmh_jupyter.service.jobs.grader import Grader
from pmh_jupyter.service.jobs.trial_runs import TrialRunner
from pmh_jupyter.service.jobs.worker_pool import WorkerPool
from pmh_jupyter.service.metrics import Metrics
from pmh_jupyter.service.rate_limit import RateLimit
from pmh_jupyter.service.readiness import Readiness
from pmh_jupyter.service.receipts import ReceiptSigner
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import jobs

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Service:
    """One service process.

    `pool` runs what waits for the database. `requests` and `dear` are the rates at which one person may ask at all, and for work
    that costs a grading. `database.now` is the clock of every fact that is recorded.
    """

    settings: Settings
    hub: HubClient
    database: Database
    signer: ReceiptSigner
    metrics: Metrics
    request_rate_limit: RateLimit
    expensive_rate_limit: RateLimit
    pool: Executor
    worker_pool: WorkerPool
    broadcaster: EventBroadcaster
    grader: Grader
    readiness: Readiness
    cookie_secret: bytes
    trial_runner: TrialRunner = field(default_factory=TrialRunner)

    async def run_blocking(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs what blocks in the bounded pool, with the request id of the one who asked."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self.pool, lambda: context.run(function, *args, **kwargs)
        )

    def update_gauges(self) -> None:
        """Brings the figures that are not counted as they happen up to date."""
        self.metrics.running_gradings.set(self.worker_pool.running_count)
        self.metrics.queued_jobs.set(jobs.count_queued_jobs(self.database))
