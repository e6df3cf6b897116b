"""Starts and stops one service process. Stopping waits briefly for running gradings, then releases their jobs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlparse

from tornado.httpserver import HTTPServer

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.submission import Job
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.grading.backends import find_backend
from pmh_jupyter.grading.isolation import IsolationCache
from pmh_jupyter.service.app import make_app
from pmh_jupyter.service.context import ServiceContext
from pmh_jupyter.service.event_broadcaster import EventBroadcaster
from pmh_jupyter.service.hub_client import HubClient, make_hub_oauth
from pmh_jupyter.service.jobs.grader import Grader
from pmh_jupyter.service.jobs.worker_pool import WorkerPool
from pmh_jupyter.service.key_files import load_or_create_key
from pmh_jupyter.service.logs import log
from pmh_jupyter.service.metrics import Metrics
from pmh_jupyter.service.rate_limit import RateLimit
from pmh_jupyter.service.readiness import Readiness
from pmh_jupyter.service.receipts import ReceiptSigner
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import events, jobs
from pmh_jupyter.storage.records.isolation import save_isolation

DATABASE_THREADS = 8
# How long running gradings may take to finish, and how long releasing the others may take on a busy machine. JupyterHub waits ten
# seconds before it kills a service.
SHUTDOWN_TIMEOUT_SECONDS = 1.5
RELEASE_TIMEOUT_SECONDS = 5.0
GRADER_CLOSE_TIMEOUT_SECONDS = 0.5


@contextlib.asynccontextmanager
async def run_service(settings: Settings, environ: Mapping[str, str]) -> AsyncIterator[ServiceContext]:
    """Run a service until the block is left. Raises PmhError if it cannot start.

    The service listens at JUPYTERHUB_SERVICE_URL if that is set, else at PMH_SERVICE_IP and PMH_SERVICE_PORT.
    """
    database = Database(settings.resolved_database_url).open()
    try:
        backup = await asyncio.to_thread(database.prepare_schema, settings.data_path / "backups")
        if backup:
            log.info("database migrated", backup=str(backup))
        if requeued_count := await asyncio.to_thread(jobs.requeue_orphaned_jobs, database):
            log.info("orphaned jobs requeued", jobs=requeued_count)
        service = build_service(settings, environ, database)
        server = HTTPServer(make_app(service), max_buffer_size=4 * settings.body_limit_mb << 20, xheaders=True)
        ip, port = find_listen_address(settings, environ)
        server.listen(port, ip)
        log.info("service listening", ip=ip, port=port, database=database.url.get_backend_name())
        service.worker_pool.start()
        service.broadcaster.start()
        try:
            yield service
        finally:
            await _stop_service(service, server)
    finally:
        database.close()


def build_service(settings: Settings, environ: Mapping[str, str], database: Database) -> ServiceContext:
    """Create the objects of a service process on an open database, without starting threads. Must be called in the event loop."""
    key_folder = settings.data_path / "keys"
    metrics, clock = Metrics(), time.monotonic
    grader = Grader(settings, find_backend, IsolationCache(), save_isolation=partial(save_isolation, database))
    blocking_executor = ThreadPoolExecutor(DATABASE_THREADS, "pmh-database")
    loop = asyncio.get_running_loop()

    async def fetch_latest_numbers() -> Mapping[str, int]:
        return await loop.run_in_executor(blocking_executor, events.load_latest_event_numbers, database)

    broadcaster = EventBroadcaster(fetch_latest_numbers, metrics)

    def on_graded(_job: Job, grading: Grading) -> None:
        broadcaster.notify()
        metrics.count_grading(grading)

    worker_pool = WorkerPool(
        settings.grading_workers or choose_default_worker_count(),
        database,
        grader.grade,
        check_ready=grader.get_backend,
        on_graded=on_graded,
    )

    return ServiceContext(
        settings=settings,
        hub=HubClient(make_hub_oauth(environ), clock),
        database=database,
        signer=ReceiptSigner(key_folder / "receipts"),
        metrics=metrics,
        request_rate_limit=RateLimit(settings.requests_per_minute, clock),
        strict_rate_limit=RateLimit(settings.checks_per_minute, clock),
        blocking_executor=blocking_executor,
        worker_pool=worker_pool,
        broadcaster=broadcaster,
        grader=grader,
        readiness=_build_readiness(database, grader, blocking_executor, clock),
        cookie_secret=load_or_create_key(key_folder / "cookies", lambda: secrets.token_hex(32).encode()),
    )


def _build_readiness(
    database: Database, grader: Grader, blocking_executor: ThreadPoolExecutor, clock: Callable[[], float]
) -> Readiness:
    async def check_database() -> None:
        await asyncio.get_running_loop().run_in_executor(blocking_executor, database.ping)

    async def check_schema() -> None:
        await asyncio.get_running_loop().run_in_executor(blocking_executor, database.require_current_revision)

    async def check_grader() -> None:
        # Not in the threads of the database: a sandbox that hangs must not block its threads.
        await asyncio.to_thread(grader.run_canary)

    return Readiness({"database": check_database, "schema": check_schema, "grading": check_grader}, clock)


def choose_default_worker_count() -> int:
    """Return more workers than cores: a slow submission often only sleeps, and some workers are reserved for checks."""
    return max(4, 2 * len(os.sched_getaffinity(0)))


def find_listen_address(settings: Settings, environ: Mapping[str, str]) -> tuple[str, int]:
    """Return the IP address and port to listen on."""
    url = urlparse(environ.get("JUPYTERHUB_SERVICE_URL", ""))
    if url.hostname and url.port:
        return url.hostname, url.port
    return settings.service_ip, settings.service_port


async def serve(settings: Settings, environ: Mapping[str, str]) -> None:
    """Run the service until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    async with run_service(settings, environ):
        await stop.wait()
        log.info("service stopping")


async def _stop_service(service: ServiceContext, server: HTTPServer) -> None:
    """Accept no more requests and jobs, end the streams, and wait briefly for running gradings before releasing their jobs."""
    server.stop()
    await service.broadcaster.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SHUTDOWN_TIMEOUT_SECONDS + RELEASE_TIMEOUT_SECONDS):
            await asyncio.gather(
                asyncio.to_thread(service.worker_pool.stop, SHUTDOWN_TIMEOUT_SECONDS), server.close_all_connections()
            )
            # Running queries must end before the database is closed.
            await asyncio.to_thread(service.blocking_executor.shutdown, cancel_futures=True)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRADER_CLOSE_TIMEOUT_SECONDS):
            await asyncio.to_thread(service.grader.close)
    await service.hub.close()
