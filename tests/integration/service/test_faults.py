"""Faults: a killed process, a locked database, a second process on the same database, a shutdown, a machine without a sandbox."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing, closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.service import process as service_process_module
from pmh_jupyter.service.process import DATABASE_THREADS
from pmh_jupyter.storage import dialect
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.tables.submissions import JobRow
from tests.support.hub.bare_hub import BareHub
from tests.support.service.service_process import (
    LESSON_PATH,
    RunningService,
    ServiceClient,
    make_settings,
    make_shared_settings,
    prepare_database,
    running_service,
    service_process,
)
from tests.support.storage.consistency import check_service_consistency
from tests.support.storage.postgres import Cluster
from tests.support.waiting import POLL_INTERVAL_SECONDS, TIMEOUT_SECONDS, wait_until_async

ENDLESS_LOOP = "while True:\n    pass"

Event = dict[str, Any]


def make_client(settings: Settings, hub: BareHub, name: str) -> ServiceClient:
    return ServiceClient(settings.resolved_service_url, hub.token(name, hub.server_scopes))


async def test_acknowledged_submissions_survive_a_killed_process(settings: Settings, hub: BareHub) -> None:
    settings.cell_seconds = 5.0
    ada = make_client(settings, hub, "ada")
    with service_process(settings, hub) as process, Database(settings.resolved_database_url) as database:
        await ada.join()
        running = [await ada.submit(two=ENDLESS_LOOP), await ada.submit(two=ENDLESS_LOOP, three="x = 1")]
        waiting = await ada.submit(two="two = 2")  # both workers are busy, so it is acknowledged but not started
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert submissions_in_state(database, "queued") >= {waiting["id"]}
    with service_process(settings, hub):
        graded = await ada.wait_until_graded(waiting["id"])
        assert graded["receipt"] == waiting["receipt"]
        # The running jobs are requeued at once, because no other process can hold their leases.
        for submission in running:
            verdicts = (await ada.wait_until_graded(submission["id"]))["verdicts"]
            assert verdicts[0]["outcome"] == "timed-out"
        await check_service_consistency(settings, ada, *running, waiting)


async def test_health_responds_while_the_database_is_locked(
    settings: Settings, hub: BareHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is held until the responses have arrived, so none of them can have waited for the database."""
    # No request gives up while the lock is held.
    monkeypatch.setattr(dialect, "LOCK_TIMEOUT_SECONDS", 2 * TIMEOUT_SECONDS)
    async with running_service(settings, hub) as live:
        ada = live.student("ada")
        await ada.join()
        with closing(sqlite3.connect(settings.data_path / "pmh.sqlite")) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN EXCLUSIVE")
            calls = [ada.check(two="two = 2") for _ in range(6)] + [ada.submit(two="two = 2") for _ in range(6)]
            tasks = [asyncio.create_task(call) for call in calls]
            pool = live.service.blocking_executor
            assert isinstance(pool, ThreadPoolExecutor) and len(calls) > DATABASE_THREADS
            await wait_until_async(pool._work_queue.qsize, "all threads to wait for the database")
            async with asyncio.timeout(TIMEOUT_SECONDS):
                for _ in range(20):
                    assert (await live.anonymous().get("health"))["alive"]
            assert not any(task.done() for task in tasks)
            connection.execute("ROLLBACK")
        submissions = [await task for task in tasks]
        for submission in submissions:
            await ada.wait_until_graded(submission["id"])
        await check_service_consistency(settings, ada, *submissions)


@pytest.fixture
def shared_settings(tmp_path: Path, cluster: Cluster) -> list[Settings]:
    """The settings of two processes with the same PostgreSQL database and data folder."""
    database_url = cluster.url(cluster.make())
    settings = make_shared_settings(tmp_path / "data", database_url, 2, cell_seconds=5.0)
    prepare_database(settings[0])
    return settings


@pytest.mark.postgres
async def test_second_process_takes_over_jobs_and_streams_of_a_killed_one(
    shared_settings: list[Settings], hub: BareHub
) -> None:
    """One process is killed while it grades. Its client continues the stream at the other process, whose own clients miss nothing."""
    first_settings, second_settings = shared_settings
    with ExitStack() as processes, Database(first_settings.resolved_database_url) as database:
        first = processes.enter_context(service_process(first_settings, hub))
        ada, ada_at_second = (make_client(settings, hub, "ada") for settings in shared_settings)
        await ada.join()
        # These occupy both workers. One of the workers grades only checks.
        submissions = [await ada.submit(two=ENDLESS_LOOP), await ada.check(two=ENDLESS_LOOP)]
        running_ids = {submission["id"] for submission in submissions}
        await wait_until_async(
            lambda: submissions_in_state(database, "running") == running_ids, "both workers to be busy"
        )
        submissions += [await ada.submit(two=f"two = 2  # {number}") for number in range(4)]
        events = await ada.read_events_until(lambda event: event["number"] == 4)
        first.send_signal(signal.SIGSTOP)  # so that it cannot finish a grading before it is killed
        processes.enter_context(service_process(second_settings, hub))
        ids = {submission["id"] for submission in submissions}
        uninterrupted_stream = asyncio.create_task(ada_at_second.read_events_until(until_graded(ids)))
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert submissions_in_state(database, "running") >= running_ids
        expire_leases(database, running_ids)
        events += await ada_at_second.read_events_until(until_graded(ids, events), after=events[-1]["number"])
        assert events == await uninterrupted_stream
        numbers = [event["number"] for event in events]
        assert numbers == sorted(set(numbers))
        assert events == await ada_at_second.read_events_until(lambda event: event["number"] == numbers[-1])
        await check_service_consistency(second_settings, ada_at_second, *submissions)


def until_graded(ids: set[str], earlier_events: Sequence[Event] = ()) -> Callable[[Event], bool]:
    """Return a predicate for the events of a stream: true for the event with which all these submissions are graded."""
    remaining = ids - {event["data"].get("submission_id") for event in earlier_events if _is_graded(event)}

    def is_last(event: Event) -> bool:
        if _is_graded(event):
            remaining.discard(event["data"]["submission_id"])
        return not remaining

    return is_last


def _is_graded(event: Event) -> bool:
    return bool(event["kind"] == "submission-graded")


def submissions_in_state(database: Database, state: str) -> set[str]:
    """The ids of the submissions whose job is in this state."""
    with database.begin_read() as session:
        return {str(id) for id in session.scalars(select(JobRow.submission_id).where(JobRow.state == state))}


def expire_leases(database: Database, submission_ids: set[str]) -> None:
    """Set the leases of these submissions' jobs to expired."""
    with database.begin_write() as session:
        jobs = JobRow.submission_id.in_([UUID(id) for id in submission_ids])
        session.execute(update(JobRow).where(jobs).values(lease_until=database.now()))


@pytest.mark.postgres
async def test_event_of_another_process_reaches_a_stream(shared_settings: list[Settings], hub: BareHub) -> None:
    async with (
        running_service(shared_settings[0], hub) as first,
        running_service(shared_settings[1], hub) as second,
    ):
        ada = first.student("ada")
        await ada.join()
        stream = asyncio.create_task(ada.read_events_until(_is_graded))
        await ServiceClient(second.base_url, ada.token).check(two="two = 2")
        assert _is_graded((await asyncio.wait_for(stream, TIMEOUT_SECONDS))[-1])


async def test_shutdown_releases_running_jobs_and_does_not_wait_for_their_end(settings: Settings, hub: BareHub) -> None:
    settings.cell_seconds = settings.submission_seconds = 300.0  # longer than any shutdown on a busy machine
    ada = make_client(settings, hub, "ada")
    with service_process(settings, hub) as process:
        await ada.join()
        submission = await ada.submit(two=ENDLESS_LOOP)
        async with aclosing(ada.stream_events()) as stream:
            async for event in stream:
                if event["kind"] == "submission-received":
                    break
            async with asyncio.timeout(TIMEOUT_SECONDS):
                while "pmh_running_gradings 1.0" not in (await ada.call("GET", "metrics", 200)).text:
                    await asyncio.sleep(POLL_INTERVAL_SECONDS)
            process.send_signal(signal.SIGTERM)
            remaining_events = [event async for event in stream]  # raises if the stream is not ended properly
        assert await asyncio.to_thread(process.wait, TIMEOUT_SECONDS) == 0
        assert not any(map(_is_graded, remaining_events))
    with closing(sqlite3.connect(settings.data_path / "pmh.sqlite")) as connection:
        states = connection.execute("SELECT state, claim_count FROM jobs").fetchall()
    assert states == [("queued", 0)]  # released without counting the claim
    assert submission["receipt"]


class TestWithoutSandbox:
    """A machine without a sandbox, and a hub that other machines can reach."""

    @pytest.fixture(autouse=True)
    def no_sandbox(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def find_backend(_settings: Settings) -> SandboxBackend:
            raise NoSandbox("bubblewrap is not installed.")

        monkeypatch.setattr(service_process_module, "find_backend", find_backend)

    async def test_checks_are_refused_and_submissions_are_queued(self, live: RunningService) -> None:
        ada = live.student("ada")
        await ada.join()
        release_id = (await ada.get(f"{LESSON_PATH}/files"))["current"]["id"]
        body = {"id": "11111111-1111-4111-8111-111111111111", "release_id": release_id, "files": []}
        assert (await ada.post(f"{LESSON_PATH}/checks", body, 503))["code"] == "no-sandbox"
        submission = await ada.post(f"{LESSON_PATH}/submissions", body, 201)
        assert submission["receipt"] and submission["state"] == "queued"
        components = (await live.anonymous().get("ready", 503))["components"]
        assert components["grading"]["code"] == "no-sandbox"
        assert components["database"]["ready"] and components["schema"]["ready"]
        assert (await ada.get(f"api/submissions/{body['id']}"))["state"] == "queued"


async def test_ready_lists_all_components(live: RunningService) -> None:
    replies = await asyncio.gather(*(live.anonymous().get("ready") for _ in range(5)))
    expected = {"ready": True, "components": {name: {"ready": True} for name in ("database", "schema", "grading")}}
    assert replies == [expected] * 5


async def test_metrics_count_gradings_jobs_and_requests(live: RunningService) -> None:
    ada = live.student("ada")
    await ada.join()
    await ada.wait_until_graded((await ada.check(two="two = 2"))["id"])
    metrics = (await live.anonymous().call("GET", "metrics", 200)).text
    assert 'pmh_graded_exercises_total{outcome="passed"} 1.0' in metrics
    assert "pmh_grading_duration_seconds_count 1.0" in metrics
    assert "pmh_queued_jobs 0.0" in metrics
    assert "pmh_running_gradings " in metrics
    assert "pmh_event_streams " in metrics
    assert 'pmh_request_duration_seconds_count{method="POST",route="join",status="200"} 1.0' in metrics
    assert "ada" not in metrics


async def test_service_without_a_hub_token_exits_with_the_reason(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "data")
    prepare_database(settings)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pmh_jupyter.service",
        env=settings.to_environ() | {"PATH": "/usr/bin"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"JUPYTERHUB_API_TOKEN is not set" in errors
