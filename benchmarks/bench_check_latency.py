"""How long a student waits for a check: from the request to the verdict, over HTTP, at a warm service in a process of its own."""

from __future__ import annotations

import asyncio
import time
import uuid
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
import pytest

from benchmarks.figures import Figures
from tests.support import tiny_course
from tests.support.bare_hub import running_bare_hub
from tests.support.postgres import running_cluster
from tests.support.service_process import ROOM, Caller, fill, service_process, settings_for

RUNS = 100
WARM = 5
GOAL_SECONDS, GOAL_95 = 0.15, 0.3


class Watch:
    """An open event stream that says when work was told of as graded."""

    def __init__(self, student: Caller) -> None:
        self._student = student
        self._graded: dict[str, asyncio.Future[float]] = {}
        self.listening = asyncio.Event()

    def expect(self, work: str) -> asyncio.Future[float]:
        return self._graded.setdefault(work, asyncio.get_running_loop().create_future())

    async def listen(self) -> None:
        async for event in self._student.events():
            self.listening.set()
            if event["kind"] == "work-graded":
                self.expect(event["data"]["work"]).set_result(time.perf_counter())


async def measure(student: Caller) -> dict[str, list[float]]:
    """Seconds of each run: until the check is acknowledged, until the stream tells, until the verdict is fetched."""
    await student.join()
    lesson = f"{student.base}/api/classrooms/{ROOM}/lessons/{tiny_course.LESSON}"
    seconds: dict[str, list[float]] = {"acknowledged": [], "told": [], "fetched": []}
    headers = {"Authorization": f"token {student.token}"}
    async with httpx.AsyncClient(timeout=60, headers=headers) as client:
        release = (await client.get(f"{lesson}/files")).json()["current"]
        watch = Watch(student)
        listener = asyncio.create_task(watch.listen())
        await watch.listening.wait()
        for number in range(WARM + RUNS):
            files = tiny_course.answered(release, two=f"two = 2  # {number}")
            found = await one(
                client, watch, lesson, {"id": str(uuid.uuid4()), "release": release["id"], "files": files}
            )
            for what, value in zip(seconds, found, strict=True):
                seconds[what] += [value] if number >= WARM else []
        listener.cancel()
    return seconds


async def one(client: httpx.AsyncClient, watch: Watch, lesson: str, body: dict[str, Any]) -> tuple[float, float, float]:
    graded = watch.expect(body["id"])
    began = time.perf_counter()
    reply = await client.post(f"{lesson}/checks", json=body)
    assert reply.status_code == 202, reply.text
    acknowledged = time.perf_counter()
    told = await asyncio.wait_for(graded, 60)
    work = (await client.get(f"{watch._student.base}/api/work/{body['id']}")).json()
    assert work["state"] == "graded" and work["verdicts"][0]["outcome"] == "passed", work
    return acknowledged - began, told - began, time.perf_counter() - began


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("backend", ["SQLite", "PostgreSQL"])
def bench_check_latency(figures: Figures, tmp_path: Path, backend: str) -> None:
    """One student after another; what grading itself takes is a few milliseconds of cells and all that makes it safe."""
    with running_bare_hub(tmp_path) as hub, running_cluster() as cluster:
        url = cluster.url(cluster.make()) if backend == "PostgreSQL" else ""
        settings = settings_for(tmp_path / "data", url, requests_per_minute=100_000, checks_per_minute=100_000)
        fill(settings)
        with service_process(settings, hub):
            student = Caller(settings.service, hub.token("ada", hub.server_scopes))
            seconds = asyncio.run(measure(student))
    figures.add(f"Check acknowledged, {backend}", "s", seconds["acknowledged"])
    figures.add(f"Check told of as graded, {backend}", "s", seconds["told"])
    figures.add(f"Check to its verdict, {backend}", "s", seconds["fetched"], GOAL_SECONDS)
    worst = quantiles(seconds["fetched"], n=20)[-1]
    figures.add(f"the same, 95th percentile (goal ≤ {GOAL_95:g})", "s", [worst])
