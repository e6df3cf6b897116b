"""Measures how long a student waits for a check, from the request to the verdict, over HTTP, with a warm service in its own process."""

from __future__ import annotations

import asyncio
import time
import uuid
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
import pytest

from benchmarks.report import BenchmarkReport
from tests.support import tiny_course
from tests.support.hub.bare_hub import running_bare_hub
from tests.support.service.service_process import (
    CLASSROOM,
    ServiceClient,
    make_settings,
    prepare_database,
    service_process,
)
from tests.support.storage.postgres import running_cluster

RUNS = 100
WARMUP_RUNS = 5
GOAL_SECONDS, GOAL_95TH_PERCENTILE_SECONDS = 0.15, 0.3


class GradedWatcher:
    """An open event stream that records when submissions are announced as graded."""

    def __init__(self, student: ServiceClient) -> None:
        self._student = student
        self._graded: dict[str, asyncio.Future[float]] = {}
        self.listening = asyncio.Event()

    def expect(self, submission_id: str) -> asyncio.Future[float]:
        return self._graded.setdefault(submission_id, asyncio.get_running_loop().create_future())

    async def listen(self) -> None:
        async for event in self._student.stream_events():
            self.listening.set()
            if event["kind"] == "submission-graded":
                self.expect(event["data"]["submission_id"]).set_result(time.perf_counter())


async def measure(student: ServiceClient) -> dict[str, list[float]]:
    """Return the seconds of each run until the check is acknowledged, announced as graded, and its verdict fetched."""
    await student.join()
    lesson = f"{student.base_url}/api/classrooms/{CLASSROOM}/lessons/{tiny_course.LESSON}"
    seconds: dict[str, list[float]] = {"acknowledged": [], "announced": [], "fetched": []}
    headers = {"Authorization": f"token {student.token}"}
    async with httpx.AsyncClient(timeout=60, headers=headers) as client:
        release = (await client.get(f"{lesson}/files")).json()["current"]
        watcher = GradedWatcher(student)
        listener = asyncio.create_task(watcher.listen())
        await watcher.listening.wait()
        for number in range(WARMUP_RUNS + RUNS):
            files = tiny_course.fill_answers(release, two=f"two = 2  # {number}")
            durations = await run_check(
                client, watcher, lesson, {"id": str(uuid.uuid4()), "release_id": release["id"], "files": files}
            )
            for stage, value in zip(seconds, durations, strict=True):
                seconds[stage] += [value] if number >= WARMUP_RUNS else []
        listener.cancel()
    return seconds


async def run_check(
    client: httpx.AsyncClient, watcher: GradedWatcher, lesson: str, body: dict[str, Any]
) -> tuple[float, float, float]:
    graded = watcher.expect(body["id"])
    started_at = time.perf_counter()
    reply = await client.post(f"{lesson}/checks", json=body)
    assert reply.status_code == 202, reply.text
    acknowledged_at = time.perf_counter()
    notified_at = await asyncio.wait_for(graded, 60)
    submission = (await client.get(f"{watcher._student.base_url}/api/submissions/{body['id']}")).json()
    assert submission["state"] == "graded" and submission["verdicts"][0]["outcome"] == "passed", submission
    return acknowledged_at - started_at, notified_at - started_at, time.perf_counter() - started_at


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def bench_check_latency(report: BenchmarkReport, tmp_path: Path, database: str) -> None:
    """One student after another; a grading takes a few milliseconds for its cells, plus everything that makes it safe."""
    with running_bare_hub(tmp_path) as hub, running_cluster() as cluster:
        url = cluster.url(cluster.make()) if database == "PostgreSQL" else ""
        settings = make_settings(tmp_path / "data", url, requests_per_minute=100_000, checks_per_minute=100_000)
        prepare_database(settings)
        with service_process(settings, hub):
            student = ServiceClient(settings.resolved_service_url, hub.token("ada", hub.server_scopes))
            seconds = asyncio.run(measure(student))
    report.add(f"Check acknowledged, {database}", "s", seconds["acknowledged"])
    report.add(f"Check announced as graded, {database}", "s", seconds["announced"])
    report.add(f"Check to its verdict, {database}", "s", seconds["fetched"], GOAL_SECONDS)
    worst = quantiles(seconds["fetched"], n=20)[-1]
    report.add(f"the same, 95th percentile (goal ≤ {GOAL_95TH_PERCENTILE_SECONDS:g})", "s", [worst])
