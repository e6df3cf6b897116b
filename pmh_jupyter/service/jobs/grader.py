"""From a job to its grading, and whether that can be done here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.submission import Job
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.errors import NoSandbox, PmhError
from pmh_jupyter.grading.backends import SandboxBackend, find_backend
from pmh_jupyter.grading.canary import run_canary
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.isolation import IsolationCache
from pmh_jupyter.grading.task import GradingTask
from pmh_jupyter.service.logs import log

RETRY_INTERVAL_SECONDS = 30.0


class Grader:
    """Grades behind the one wall that this machine has. Looking for the wall starts a sandbox, so it is done once, and after a
    failure not again for half a minute. How a release is judged, where that is not known yet, is found out and given to `keep`, with
    the release's id. Safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        backend_finder: Callable[[Settings], SandboxBackend] = find_backend,
        clock: Callable[[], float] = time.monotonic,
        save_isolation: Callable[[str, ReleaseIsolation], None] = lambda release_id, isolation: None,
    ) -> None:
        self._settings = settings
        self._backend_finder = backend_finder
        self._clock = clock
        self._save_isolation = save_isolation
        self._isolation_cache = IsolationCache()
        self._lock = threading.Lock()
        self._backend: SandboxBackend | None = None
        self._last_error: NoSandbox | None = None
        self._retry_at = 0.0

    def get_backend(self) -> SandboxBackend:
        """The wall; raises NoWall where grading is refused because there is none."""
        with self._lock:
            if self._backend is None:
                self._backend = self._find_backend()
            return self._backend

    def close(self) -> None:
        """Ends what the wall keeps warm for the next grading, where it keeps anything."""
        with self._lock:
            backend, self._backend = self._backend, None
        if backend:
            backend.close()

    def _find_backend(self) -> SandboxBackend:
        if self._last_error and self._clock() < self._retry_at:
            raise NoSandbox(self._last_error.message, advice=self._last_error.advice)
        try:
            backend = self._backend_finder(self._settings)
        except NoSandbox as error:
            self._last_error, self._retry_at = error, self._clock() + RETRY_INTERVAL_SECONDS
            log.error("no wall: nothing is graded", reason=error.message, advice=error.advice)
            raise
        if not backend.is_contained:
            log.warning(
                "no wall: students' code runs with the rights of this service, because the hub is on loopback only"
            )
        return backend

    def grade(self, job: Job) -> Grading:
        """Grades one job; faults of the student's are verdicts, faults of ours raise or stand in the grading."""
        task = GradingTask(
            exercises=job.exercises,
            sealed_files=job.sealed_files,
            submitted_files=job.submitted_files,
            only_exercises=job.only_exercises,
            include_hidden_tests=job.include_hidden_tests,
            limits=self.default_limits.with_requested(job.limits),
            preload=job.preload,
            request_id=job.request_id,
            isolation=job.isolation,
        )
        return grade(task if task.isolation else self._decide_isolation(task, job.release_id), self.get_backend())

    def _decide_isolation(self, task: GradingTask, release_id: str) -> GradingTask:
        isolation = self._isolation_cache.get_or_decide(task, self.get_backend())
        try:
            self._save_isolation(release_id, isolation)
        except PmhError as error:  # it is found out again next time
            log.warning("how a release is judged was not kept", release=release_id, reason=error.message)
        return replace(task, isolation=isolation)

    def check_canary(self) -> None:
        """Grades what has a known result; raises NoWall, or Unavailable when the verdicts are not those."""
        run_canary(self.get_backend())

    @property
    def default_limits(self) -> EffectiveLimits:
        """What a grading may use where nobody asks for anything else."""
        return self._settings.grading_limits
