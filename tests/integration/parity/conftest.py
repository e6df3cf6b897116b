"""Runs both graders over all of nbgrader's own notebooks, once for all tests here: it takes a minute or two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pmh_jupyter.errors import BadInput
from pmh_jupyter.grading.backends import SandboxBackend, create_bubblewrap_backend
from tests.integration.parity import ours, yardstick
from tests.integration.parity.shipped import LESSONS


@pytest.fixture(scope="session")
def backend() -> Iterator[SandboxBackend]:
    backend = create_bubblewrap_backend()
    yield backend
    getattr(backend, "close", lambda: None)()


@pytest.fixture(scope="session")
def nbgrader(tmp_path_factory: pytest.TempPathFactory) -> dict[str, yardstick.Found]:
    """Return nbgrader's results by lesson name."""
    return yardstick.measure(LESSONS, tmp_path_factory.mktemp("nbgrader"))


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory, backend: SandboxBackend) -> dict[str, ours.Ours | BadInput]:
    """Return the release by lesson name, or the reason why there is none."""
    folder: Path = tmp_path_factory.mktemp("here")
    releases: dict[str, ours.Ours | BadInput] = {}
    for lesson in LESSONS:
        try:
            releases[lesson.name] = ours.release_lesson_here(lesson, folder, backend)
        except BadInput as error:
            releases[lesson.name] = error
    return releases
