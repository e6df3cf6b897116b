"""Grades jobs in the sandbox of this machine, and checks that grading works."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.submission import Job
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.errors import NoSandbox, PmhError, UnreadableSubmission
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.canary import run_canary
from pmh_jupyter.grading.grade import grade, make_unreadable_grading
from pmh_jupyter.grading.isolation import IsolationCache
from pmh_jupyter.grading.submission_reader import SubmissionReader
from pmh_jupyter.service.logs import log

RETRY_INTERVAL_SECONDS = 30.0


class Grader:
    """Grades jobs with the sandbox backend of this machine. Safe to use from several threads.

    The backend is looked up once, because the lookup starts a sandbox; after a failure it is looked up again after
    RETRY_INTERVAL_SECONDS at the earliest.

    isolation_cache: consulted for a job that does not name the isolation of its release. All graders of a process should share it.
    clock: monotonic seconds.
    save_isolation: called with a release id and its isolation once this has been determined.
    """

    def __init__(
        self,
        settings: Settings,
        backend_finder: Callable[[Settings], SandboxBackend],
        isolation_cache: IsolationCache,
        *,
        clock: Callable[[], float] = time.monotonic,
        save_isolation: Callable[[str, ReleaseIsolation], None] = lambda release_id, isolation: None,
    ) -> None:
        self._settings = settings
        self._backend_finder = backend_finder
        self._isolation_cache = isolation_cache
        self._clock = clock
        self._save_isolation = save_isolation
        self._reader = SubmissionReader(preload=("pmh_jupyter.grading.assemble",))
        self._lock = threading.Lock()
        self._backend: SandboxBackend | None = None
        self._last_error: NoSandbox | None = None
        self._retry_at = 0.0

    def get_backend(self) -> SandboxBackend:
        """Return the sandbox backend; raise NoSandbox if grading is disabled for lack of one."""
        with self._lock:
            if self._backend is None:
                self._backend = self._find_backend()
            return self._backend

    def close(self) -> None:
        """End the processes that are kept warm for the next grading."""
        with self._lock:
            backend, self._backend = self._backend, None
        if backend:
            backend.close()
        self._reader.close()

    def _find_backend(self) -> SandboxBackend:
        if self._last_error and self._clock() < self._retry_at:
            raise NoSandbox(self._last_error.message, advice=self._last_error.advice)
        try:
            backend = self._backend_finder(self._settings)
        except NoSandbox as error:
            self._last_error, self._retry_at = error, self._clock() + RETRY_INTERVAL_SECONDS
            log.error("no sandbox: grading is disabled", reason=error.message, advice=error.advice)
            raise
        if not backend.is_contained:
            log.warning("no sandbox: student code runs with this service's permissions (hub listens on loopback only)")
        return backend

    def grade(self, job: Job) -> Grading:
        """Grade one job.

        An error in the student's code becomes a verdict. An error of the grader is raised, or returned as `Grading.grader_error`.
        """
        task = replace(job.task, limits=self.default_limits.apply(job.requested_limits))
        task = task if task.isolation else self._determine_isolation(task, job.release_id)
        try:
            return grade(task, self.get_backend(), assemble=self._reader.assemble)
        except UnreadableSubmission as error:
            log.warning("submission not readable", reason=error.reason)
            return make_unreadable_grading(task, error.reason)

    def _determine_isolation(self, task: GradingTask, release_id: str) -> GradingTask:
        isolation = self._isolation_cache.get_or_decide(task, self.get_backend())
        try:
            self._save_isolation(release_id, isolation)
        except PmhError as error:  # another process determines it again
            log.warning("release isolation not saved", release_id=release_id, reason=error.message)
        return replace(task, isolation=isolation)

    def run_canary(self) -> None:
        """Grade a notebook with known verdicts; raise NoSandbox, or Unavailable if the verdicts differ."""
        run_canary(self.get_backend())

    @property
    def default_limits(self) -> EffectiveLimits:
        """The hub's resource limits: they apply if neither the lesson nor the classroom requests others."""
        return self._settings.grading_limits
