"""The objects that handlers and jobs of one service process share.

`process.build_service` creates them at startup and passes them on as a `ServiceContext`, so no module of the service has mutable state.
`grading` keeps parsed cells of releases in module-level caches; its other caches belong to a backend or to an `IsolationCache`.
"""

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
from pmh_jupyter.service.jobs.expensive_calls import ExpensiveCallRunner
from pmh_jupyter.service.jobs.grader import Grader
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
class ServiceContext:
    """The parts of one service process.

    database: its `now` is the clock of every recorded time.
    request_rate_limit: limits all requests of a person.
    strict_rate_limit: also limits the requests of a person that run a grading or a release, or redeem a join code.
    blocking_executor: threads for blocking calls, mainly database transactions.
    """

    settings: Settings
    hub: HubClient
    database: Database
    signer: ReceiptSigner
    metrics: Metrics
    request_rate_limit: RateLimit
    strict_rate_limit: RateLimit
    blocking_executor: Executor
    worker_pool: WorkerPool
    broadcaster: EventBroadcaster
    grader: Grader
    readiness: Readiness
    cookie_secret: bytes
    expensive_call_runner: ExpensiveCallRunner = field(default_factory=ExpensiveCallRunner)

    async def run_blocking(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking function in a bounded number of threads. Its log lines have the request id of the caller."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self.blocking_executor, lambda: context.run(function, *args, **kwargs)
        )

    def update_gauges(self) -> None:
        """Update the metrics that are not counted continuously. Blocks."""
        self.metrics.running_gradings.set(self.worker_pool.running_count)
        self.metrics.queued_jobs.set(jobs.count_queued_jobs(self.database))
