"""The graders that are attacked: ours behind the real wall, and one without any defence."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pmh_jupyter.domain.course import File
from tests.support.attacks.attack import ENVIRONMENT_CANARY, Case, Outcome, Undefended
from tests.support.attacks.attacked_grader import Ours
from tests.support.grading.lesson import bubblewrap


class References:
    """Two servers of the undefended grader, for two jobs at once, and one that has not imported NumPy."""

    def __init__(self, warm: list[Undefended], cold: Undefended) -> None:
        self.warm, self.cold = warm, cold
        self.pool = ThreadPoolExecutor(len(warm))

    def grade(self, jobs: list[tuple[Case, tuple[File, ...]]]) -> list[Outcome]:
        """The outcome of each (case, files), in order."""
        servers = iter([self.warm[number % len(self.warm)] for number in range(len(jobs))])
        chosen = [self.cold if case.about.get("fresh") else next(servers) for case, _ in jobs]
        return list(self.pool.map(lambda server, job: server.grade(job[1], job[0]), chosen, jobs))


@pytest.fixture(scope="package")
def undefended() -> Iterator[References]:
    with Undefended("numpy") as one, Undefended("numpy") as other, Undefended() as cold:
        references = References([one, other], cold)
        yield references
        references.pool.shutdown()


@pytest.fixture(scope="package")
def ours() -> Iterator[Ours]:
    """Started with a canary in the environment, which no grading may see."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_TOKEN", ENVIRONMENT_CANARY)
        yield Ours(bubblewrap())
