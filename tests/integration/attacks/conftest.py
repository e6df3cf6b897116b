"""The graders under attack: ours in a real sandbox, and one without any defense."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pmh_jupyter.domain.course import File
from tests.support.attacks.attack import ENVIRONMENT_CANARY, AttackCase, Outcome, UndefendedGrader
from tests.support.attacks.attacked_grader import DefendedGrader
from tests.support.grading.lesson import start_bubblewrap_backend


class UndefendedGraders:
    """Two servers of the undefended grader, for two jobs at once, and one that has not imported NumPy."""

    def __init__(self, warm: list[UndefendedGrader], cold: UndefendedGrader) -> None:
        self.warm, self.cold = warm, cold
        self.pool = ThreadPoolExecutor(len(warm))

    def grade(self, jobs: list[tuple[AttackCase, tuple[File, ...]]], *, is_honest: bool = False) -> list[Outcome]:
        """The outcome of each (case, files), in order."""
        servers = iter([self.warm[number % len(self.warm)] for number in range(len(jobs))])
        chosen = [self.cold if case.options.get("without_numpy") else next(servers) for case, _ in jobs]
        return list(self.pool.map(lambda server, job: server.grade(job[1], job[0], is_honest=is_honest), chosen, jobs))


@pytest.fixture(scope="package")
def undefended() -> Iterator[UndefendedGraders]:
    with UndefendedGrader("numpy") as first, UndefendedGrader("numpy") as second, UndefendedGrader() as cold:
        graders = UndefendedGraders([first, second], cold)
        yield graders
        graders.pool.shutdown()


@pytest.fixture(scope="package")
def defended() -> Iterator[DefendedGrader]:
    """Our grader, started with a canary in its environment, which no grading may read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_TOKEN", ENVIRONMENT_CANARY)
        yield DefendedGrader(start_bubblewrap_backend())
