"""Runs both graders over all of nbgrader's own notebooks, once for all tests here: it takes a minute or two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pmh_jupyter.errors import BadInput
from pmh_jupyter.grading.backends import SandboxBackend, create_bubblewrap_backend
from tests.integration.parity import nbgrader_results, pmh_results
from tests.integration.parity.nbgrader_lessons import LESSONS


@pytest.fixture(scope="session")
def backend() -> Iterator[SandboxBackend]:
    backend = create_bubblewrap_backend()
    yield backend
    getattr(backend, "close", lambda: None)()


@pytest.fixture(scope="session")
def nbgrader(tmp_path_factory: pytest.TempPathFactory) -> dict[str, nbgrader_results.NbgraderResult]:
    """Return nbgrader's results by lesson name."""
    return nbgrader_results.run_nbgrader(LESSONS, tmp_path_factory.mktemp("nbgrader"))


@pytest.fixture(scope="session")
def pmh_releases(
    tmp_path_factory: pytest.TempPathFactory, backend: SandboxBackend
) -> dict[str, pmh_results.ReleasedLesson | BadInput]:
    """Return the release by lesson name, or the reason why there is none."""
    folder: Path = tmp_path_factory.mktemp("pmh")
    releases: dict[str, pmh_results.ReleasedLesson | BadInput] = {}
    for lesson in LESSONS:
        try:
            releases[lesson.name] = pmh_results.release_with_pmh(lesson, folder, backend)
        except BadInput as error:
            releases[lesson.name] = error
    return releases
