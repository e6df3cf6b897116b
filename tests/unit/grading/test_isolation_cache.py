"""The isolation of a release is decided once, and kept beyond the process if there is a store."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest

from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.grading import isolation as module
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from pmh_jupyter.grading.isolation import CACHE_SIZE, IsolationCache
from tests.support.grading.lesson import make_task

DECIDED = ReleaseIsolation("tests", ())


class DictStore:
    """Stores decisions in a dictionary."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], ReleaseIsolation] = {}

    def load(self, key: str, fingerprint: str) -> ReleaseIsolation | None:
        return self.entries.get((key, fingerprint))

    def save(self, key: str, fingerprint: str, isolation: ReleaseIsolation) -> None:
        self.entries[key, fingerprint] = isolation


class FakeBackend(UnsandboxedBackend):
    """A backend with a given fingerprint."""

    def __init__(self, fingerprint: str) -> None:
        super().__init__()
        self.current_fingerprint = fingerprint

    def fingerprint(self, preload: tuple[str, ...] = ()) -> str:
        return self.current_fingerprint


@pytest.fixture
def decisions(monkeypatch: pytest.MonkeyPatch) -> list[GradingTask]:
    """Record the tasks for which an isolation is decided, instead of running them."""
    tasks: list[GradingTask] = []

    def decide(task: GradingTask, backend: SandboxBackend) -> ReleaseIsolation:
        tasks.append(task)
        return DECIDED

    monkeypatch.setattr(module, "decide_isolation", decide)
    return tasks


def test_release_is_decided_once_for_all_submissions(decisions: list[GradingTask]) -> None:
    cache, backend = IsolationCache(), FakeBackend("python")
    for submitted in ((), make_task().sealed_files):
        assert cache.get_or_decide(replace(make_task(), submitted_files=submitted), backend) is DECIDED
    assert len(decisions) == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"limits": EffectiveLimits(cell_seconds=1)}, id="limits"),
        pytest.param({"preload": ("numpy",)}, id="preload"),
        pytest.param({"sealed_files": ()}, id="tests"),
    ],
)
def test_other_limits_preloads_or_tests_are_decided_anew(
    decisions: list[GradingTask], change: dict[str, object]
) -> None:
    cache, backend = IsolationCache(), FakeBackend("python")
    cache.get_or_decide(make_task(), backend)
    cache.get_or_decide(replace(make_task(), **change), backend)  # type: ignore[arg-type]
    assert len(decisions) == 2


def test_concurrent_calls_wait_for_the_first(decisions: list[GradingTask], monkeypatch: pytest.MonkeyPatch) -> None:
    cache, backend, waiting_calls = IsolationCache(), FakeBackend("python"), threading.Semaphore(0)
    decide = module.decide_isolation

    class ObservedLock:
        """A lock that counts who has to wait for it."""

        def __init__(self) -> None:
            self.lock = threading.Lock()

        def __enter__(self) -> None:
            if not self.lock.acquire(blocking=False):
                waiting_calls.release()
                self.lock.acquire()

        def __exit__(self, *exception: object) -> None:
            self.lock.release()

    def decide_when_the_others_wait(task: GradingTask, backend: SandboxBackend) -> ReleaseIsolation:
        for _ in range(3):
            assert waiting_calls.acquire(timeout=30)
        return decide(task, backend)

    monkeypatch.setattr(module, "threading", SimpleNamespace(Lock=ObservedLock))
    monkeypatch.setattr(module, "decide_isolation", decide_when_the_others_wait)
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(cache.get_or_decide, make_task(), backend) for _ in range(4)]
        assert [result.result() for result in results] == [DECIDED] * 4
    assert len(decisions) == 1


def test_failed_decision_is_tried_again(decisions: list[GradingTask], monkeypatch: pytest.MonkeyPatch) -> None:
    cache, backend = IsolationCache(), FakeBackend("python")

    def fail(task: GradingTask, backend: SandboxBackend) -> ReleaseIsolation:
        raise Unavailable("no sandbox")

    with monkeypatch.context() as failing:
        failing.setattr(module, "decide_isolation", fail)
        with pytest.raises(Unavailable):
            cache.get_or_decide(make_task(), backend)
    assert cache.get_or_decide(make_task(), backend) is DECIDED
    assert len(decisions) == 1


def test_stored_decision_is_loaded_for_the_same_software(decisions: list[GradingTask]) -> None:
    store = DictStore()
    for fingerprint in ("python 1", "python 1", "python 2"):
        assert IsolationCache(store).get_or_decide(make_task(), FakeBackend(fingerprint)) is DECIDED
    assert len(decisions) == len(store.entries) == 2


def test_decision_of_unknown_software_is_not_stored(decisions: list[GradingTask]) -> None:
    store = DictStore()
    for _ in range(2):
        IsolationCache(store).get_or_decide(make_task(), FakeBackend(""))
    assert len(decisions) == 2
    assert not store.entries


def test_oldest_decision_is_evicted(decisions: list[GradingTask]) -> None:
    cache, backend = IsolationCache(), FakeBackend("python")
    for number in [*range(CACHE_SIZE + 1), 0]:
        cache.get_or_decide(replace(make_task(), preload=(f"module{number}",)), backend)
    assert len(decisions) == CACHE_SIZE + 2
