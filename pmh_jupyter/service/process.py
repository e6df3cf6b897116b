"""One service process: put together, started, and taken apart again within three seconds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlparse

from tornado.httpserver import HTTPServer

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.domain.work import Job
from pmh_jupyter.service.app import make_app
from pmh_jupyter.service.context import Service
from pmh_jupyter.service.feed import Feed
from pmh_jupyter.service.hub import Hub, hub_oauth
from pmh_jupyter.service.jobs.grader import Grader
from pmh_jupyter.service.jobs.queue import DatabaseQueue
from pmh_jupyter.service.jobs.workers import Workers
from pmh_jupyter.service.keys import load_or_make
from pmh_jupyter.service.limits import RateLimit
from pmh_jupyter.service.logs import log
from pmh_jupyter.service.metrics import Metrics
from pmh_jupyter.service.ready import Readiness
from pmh_jupyter.service.receipts import Signer
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import events, jobs
from pmh_jupyter.storage.records.judgings import save_judging

DATABASE_THREADS = 8
STOP_SECONDS = 1.5
CLOSE_SECONDS = 0.5


@contextlib.asynccontextmanager
async def running(settings: Settings, environ: Mapping[str, str]) -> AsyncIterator[Service]:
    """A service process that answers and grades until the block is left. Raises PmhError when it cannot start.

    It listens where JUPYTERHUB_SERVICE_URL says, else at PMH_SERVICE_IP and PMH_SERVICE_PORT.
    """
    database = Database(settings.database).open()
    try:
        backup = await asyncio.to_thread(database.start, settings.data / "backups")
        if backup:
            log.info("database migrated", backup=str(backup))
        if held := await asyncio.to_thread(jobs.take_back, database):
            log.info("taken back from a process that was killed", jobs=held)
        service = assemble(settings, environ, database)
        server = HTTPServer(make_app(service), max_buffer_size=4 * settings.body_limit_mb << 20, xheaders=True)
        ip, port = address(settings, environ)
        server.listen(port, ip)
        log.info("service listens", ip=ip, port=port, database=database.url.get_backend_name())
        service.workers.start()
        service.feed.start()
        try:
            yield service
        finally:
            await _stop(service, server)
    finally:
        database.close()


def assemble(settings: Settings, environ: Mapping[str, str], database: Database) -> Service:
    """All parts of a service process on an open database; nothing runs yet. Called in the event loop."""
    keys = settings.data / "keys"
    metrics, clock = Metrics(), time.monotonic
    queue = DatabaseQueue(database)
    grader = Grader(settings, keep=partial(save_judging, database))
    pool = ThreadPoolExecutor(DATABASE_THREADS, "pmh-database")
    loop = asyncio.get_running_loop()

    async def look() -> Mapping[str, int]:
        return await loop.run_in_executor(pool, events.latest_numbers, database)

    async def ask_database() -> None:
        await loop.run_in_executor(pool, database.ping)

    async def ask_schema() -> None:
        await loop.run_in_executor(pool, database.check_revision)

    async def ask_grader() -> None:
        # Not in the database's pool: a sandbox that hangs must not take its threads.
        await asyncio.to_thread(grader.try_canary)

    feed = Feed(look, metrics)

    def graded(_job: Job, grading: Grading) -> None:
        feed.poke()
        metrics.graded(grading)

    workers = Workers(
        settings.grading_workers or default_workers(), queue, grader.grade, prepare=grader.wall, done=graded
    )

    return Service(
        settings=settings,
        hub=Hub(hub_oauth(environ), clock),
        database=database,
        signer=Signer(keys / "receipts"),
        metrics=metrics,
        requests=RateLimit(settings.requests_per_minute, clock),
        dear=RateLimit(settings.checks_per_minute, clock),
        pool=pool,
        workers=workers,
        feed=feed,
        grader=grader,
        readiness=Readiness({"database": ask_database, "schema": ask_schema, "grading": ask_grader}, clock),
        cookie_secret=load_or_make(keys / "cookies", lambda: secrets.token_hex(32).encode()),
    )


def default_workers() -> int:
    """More than there are cores: a slow submission mostly waits for its time to be over, and some workers stay for checks."""
    return max(4, 2 * len(os.sched_getaffinity(0)))


def address(settings: Settings, environ: Mapping[str, str]) -> tuple[str, int]:
    """Where to listen."""
    url = urlparse(environ.get("JUPYTERHUB_SERVICE_URL", ""))
    if url.hostname and url.port:
        return url.hostname, url.port
    return settings.service_ip, settings.service_port


async def serve(settings: Settings, environ: Mapping[str, str]) -> None:
    """Runs until TERM or INT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings, environ):
        await stop.wait()
        log.info("service stops")


async def _stop(service: Service, server: HTTPServer) -> None:
    """No new request and no new job; streams end; what is being graded gets a moment, then its lease is given back."""
    server.stop()
    await service.feed.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS + 0.8):
            await asyncio.gather(asyncio.to_thread(service.workers.stop, STOP_SECONDS), server.close_all_connections())
            # What still asks the database ends before the database is closed.
            await asyncio.to_thread(service.pool.shutdown, cancel_futures=True)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await asyncio.to_thread(service.grader.close)
    await service.hub.close()
