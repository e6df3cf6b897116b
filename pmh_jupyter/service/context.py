"""What every handler and job of one service process needs, made once at its start and handed on; no global state anywhere."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from pmh_jupyter.config import Settings
from pmh_jupyter.service.feed import Feed
from pmh_jupyter.service.hub import Hub
from pmh_jupyter.service.jobs.grader import Grader
from pmh_jupyter.service.jobs.trials import Trials
from pmh_jupyter.service.jobs.workers import Workers
from pmh_jupyter.service.limits import RateLimit
from pmh_jupyter.service.metrics import Metrics
from pmh_jupyter.service.ready import Readiness
from pmh_jupyter.service.receipts import Signer
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
    hub: Hub
    database: Database
    signer: Signer
    metrics: Metrics
    requests: RateLimit
    dear: RateLimit
    pool: Executor
    workers: Workers
    feed: Feed
    grader: Grader
    readiness: Readiness
    cookie_secret: bytes
    trials: Trials = field(default_factory=Trials)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs what blocks in the bounded pool, with the request id of the one who asked."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self.pool, lambda: context.run(function, *args, **kwargs)
        )

    def measure(self) -> None:
        """Brings the figures that are not counted as they happen up to date."""
        self.metrics.running.set(self.workers.running)
        self.metrics.queue.set(jobs.queue_length(self.database))
