"""The grader looks up its sandbox backend rarely, and determines the isolation of a release once."""

from __future__ import annotations

import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import GRADER_VERSION, ReleaseIsolation
from pmh_jupyter.domain.submission import Job
from pmh_jupyter.domain.verdict import Grading, Outcome
from pmh_jupyter.errors import NoSandbox, Unavailable, UnreadableSubmission
from pmh_jupyter.grading.assemble import AssembledSubmission
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from pmh_jupyter.grading.grade import Assembler
from pmh_jupyter.grading.isolation import IsolationCache
from pmh_jupyter.grading.submission_reader import SubmissionReader
from pmh_jupyter.service.jobs import grader as grader_module
from pmh_jupyter.service.jobs.grader import RETRY_INTERVAL_SECONDS, Grader
from tests.support.grading.lesson import make_task as lesson_task
from tests.support.service.jobs import make_job

ISOLATION = ReleaseIsolation(GRADER_VERSION, ())
GRADING = Grading((), 0.1)


class FakeMachine:
    """A machine with or without a sandbox backend."""

    def __init__(self, backend: SandboxBackend | None = None) -> None:
        self.backend = backend
        self.lookup_count = 0

    def find_backend(self, _settings: Settings) -> SandboxBackend:
        self.lookup_count += 1
        if self.backend is None:
            raise NoSandbox("none here", advice="install one")
        return self.backend


class FakeIsolationCache(IsolationCache):
    """Counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.call_count = 0

    def get_or_decide(self, task: GradingTask, backend: SandboxBackend) -> ReleaseIsolation:
        self.call_count += 1
        return ISOLATION


def test_failed_lookup_is_retried_after_the_interval_only() -> None:
    machine, now = FakeMachine(), 0.0
    grader = Grader(Settings(), machine.find_backend, IsolationCache(), clock=lambda: now)
    for _ in range(3):
        with pytest.raises(NoSandbox, match="none here") as caught:
            grader.get_backend()
        assert caught.value.advice == "install one"
    assert machine.lookup_count == 1
    machine.backend = UnsandboxedBackend()
    now = RETRY_INTERVAL_SECONDS
    assert grader.get_backend() is machine.backend
    assert grader.get_backend() is machine.backend
    assert machine.lookup_count == 2


def test_canary_without_a_sandbox_raises_no_sandbox() -> None:
    grader = Grader(Settings(), FakeMachine().find_backend, IsolationCache())
    with pytest.raises(NoSandbox):
        grader.run_canary()


def test_close_closes_the_backend_once() -> None:
    class CountingBackend(UnsandboxedBackend):
        close_count = 0

        def close(self) -> None:
            self.close_count += 1
            super().close()

    backend = CountingBackend()
    grader = Grader(Settings(), FakeMachine(backend).find_backend, IsolationCache())
    grader.close()  # before the first lookup there is nothing to close
    grader.get_backend()
    grader.close()
    grader.close()
    assert backend.close_count == 1


@pytest.fixture
def graded_tasks(monkeypatch: pytest.MonkeyPatch) -> list[GradingTask]:
    """The tasks that were graded; grading itself is replaced."""
    tasks: list[GradingTask] = []

    def grade(task: GradingTask, backend: SandboxBackend, assemble: Assembler) -> Grading:
        tasks.append(task)
        return GRADING

    monkeypatch.setattr(grader_module, "grade", grade)
    return tasks


def grade_with(
    cache: IsolationCache, job: Job, saved: list[tuple[str, ReleaseIsolation]], *, fails: bool = False
) -> None:
    def save_isolation(release_id: str, isolation: ReleaseIsolation) -> None:
        if fails:
            raise Unavailable("locked")
        saved.append((release_id, isolation))

    machine = FakeMachine(UnsandboxedBackend())
    grader = Grader(Settings(), machine.find_backend, cache, save_isolation=save_isolation)
    assert grader.grade(job) is GRADING


def test_unknown_isolation_comes_from_the_injected_cache_and_is_saved(graded_tasks: list[GradingTask]) -> None:
    cache, saved = FakeIsolationCache(), list[tuple[str, ReleaseIsolation]]()
    grade_with(cache, make_job(release_id="r1"), saved)
    assert cache.call_count == 1
    assert saved == [("r1", ISOLATION)]
    assert [task.isolation for task in graded_tasks] == [ISOLATION]


def test_known_isolation_is_used_without_the_cache(graded_tasks: list[GradingTask]) -> None:
    cache, saved = FakeIsolationCache(), list[tuple[str, ReleaseIsolation]]()
    grade_with(cache, make_job(task=GradingTask((), (), (), isolation=ISOLATION)), saved)
    assert cache.call_count == 0 and not saved
    assert [task.isolation for task in graded_tasks] == [ISOLATION]


def test_job_is_graded_even_if_the_isolation_cannot_be_saved(graded_tasks: list[GradingTask]) -> None:
    grade_with(FakeIsolationCache(), make_job(), [], fails=True)
    assert [task.isolation for task in graded_tasks] == [ISOLATION]


def test_unreadable_submission_is_not_checked_and_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(reader: SubmissionReader, task: GradingTask) -> AssembledSubmission:
        raise UnreadableSubmission("it needs too much memory")

    monkeypatch.setattr(SubmissionReader, "assemble", fail)
    original = lesson_task()
    job = make_job(task=GradingTask(original.exercises, original.sealed_files, (), isolation=ISOLATION))
    grader = Grader(Settings(), FakeMachine(UnsandboxedBackend()).find_backend, IsolationCache())
    grading = grader.grade(job)
    # The worker pool tries a job again only if it has a grader error.
    assert grading.grader_error is None
    assert {verdict.outcome for verdict in grading.verdicts} == {Outcome.NOT_CHECKED}
    assert len(grading.verdicts) == len(original.exercises)
