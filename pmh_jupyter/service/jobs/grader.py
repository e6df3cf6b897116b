"""From a job to its grading, and whether that can be done here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.judging import Judging
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.domain.work import Job
from pmh_jupyter.errors import NoWall, PmhError
from pmh_jupyter.grading.canary import canary
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.judging import KnownJudgings
from pmh_jupyter.grading.task import GradingTask, Limits, with_asked
from pmh_jupyter.grading.walls import Wall, find_wall
from pmh_jupyter.service.logs import log

RETRY_SECONDS = 30.0


class Grader:
    """Grades behind the one wall that this machine has. Looking for the wall starts a sandbox, so it is done once, and after a
    failure not again for half a minute. How a release is judged, where that is not known yet, is found out and given to `keep`, with
    the release's id. Safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        find: Callable[[Settings], Wall] = find_wall,
        clock: Callable[[], float] = time.monotonic,
        keep: Callable[[str, Judging], None] = lambda release, judging: None,
    ) -> None:
        self._settings = settings
        self._find = find
        self._clock = clock
        self._keep = keep
        self._judgings = KnownJudgings()
        self._lock = threading.Lock()
        self._wall: Wall | None = None
        self._refused: NoWall | None = None
        self._again = 0.0

    def wall(self) -> Wall:
        """The wall; raises NoWall where grading is refused because there is none."""
        with self._lock:
            if self._wall is None:
                self._wall = self._look()
            return self._wall

    def close(self) -> None:
        """Ends what the wall keeps warm for the next grading, where it keeps anything."""
        with self._lock:
            wall, self._wall = self._wall, None
        if wall:
            wall.close()

    def _look(self) -> Wall:
        if self._refused and self._clock() < self._again:
            raise NoWall(self._refused.message, advice=self._refused.advice)
        try:
            wall = self._find(self._settings)
        except NoWall as error:
            self._refused, self._again = error, self._clock() + RETRY_SECONDS
            log.error("no wall: nothing is graded", reason=error.message, advice=error.advice)
            raise
        if not wall.contained:
            log.warning(
                "no wall: students' code runs with the rights of this service, because the hub is on loopback only"
            )
        return wall

    def grade(self, job: Job) -> Grading:
        """Grades one job; faults of the student's are verdicts, faults of ours raise or stand in the grading."""
        task = GradingTask(
            exercises=job.exercises,
            sealed=job.sealed,
            submitted=job.submitted,
            only=job.only,
            hidden=job.hidden,
            limits=with_asked(self.limits, job.limits),
            preload=job.preload,
            request_id=job.request_id,
            judging=job.judging,
        )
        return grade(task if task.judging else self._judged(task, job.release), self.wall())

    def _judged(self, task: GradingTask, release: str) -> GradingTask:
        judging = self._judgings.of(task, self.wall())
        try:
            self._keep(release, judging)
        except PmhError as error:  # it is found out again next time
            log.warning("how a release is judged was not kept", release=release, reason=error.message)
        return replace(task, judging=judging)

    def try_canary(self) -> None:
        """Grades what has a known result; raises NoWall, or Unavailable when the verdicts are not those."""
        canary(self.wall())

    @property
    def limits(self) -> Limits:
        """What a grading may use where nobody asks for anything else."""
        return Limits(
            cell_seconds=self._settings.cell_seconds,
            submission_seconds=self._settings.submission_seconds,
            memory_bytes=self._settings.grading_memory_mb << 20,
        )
