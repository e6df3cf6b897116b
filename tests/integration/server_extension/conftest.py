"""service: a small real service. lab: the Jupyter server of ada, connected to it. lesson: a first release with a notebook and data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.lab.server import Lab
from tests.support.notebooks import notebook
from tests.support.service.small_service import TOKEN, SmallService

FOLDER_VARIABLES = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")


@pytest.fixture(autouse=True)
def isolated_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the Jupyter configuration of this machine."""
    for name in FOLDER_VARIABLES:
        folder = tmp_path / name.lower()
        folder.mkdir(mode=0o700)
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "1")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", TOKEN)
    for name in ("JUPYTERHUB_USER", "PMH_SERVICE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def service() -> AsyncIterator[SmallService]:
    service = SmallService()
    service.start()
    yield service
    await service.stop()


@pytest.fixture
async def lab(service: SmallService, tmp_path: Path) -> AsyncIterator[Lab]:
    root = tmp_path / "root"
    root.mkdir()
    lab = await Lab(root, tmp_path / "home" / ".pmh", service.url).start()
    yield lab
    await lab.stop()


@pytest.fixture
def lesson(service: SmallService) -> dict[str, bytes]:
    """The files of the first release of `values`."""
    files = {"values.ipynb": notebook(swap="pass"), "data/numbers.csv": b"1,2,3\n"}
    service.publish("values", files)
    return files
