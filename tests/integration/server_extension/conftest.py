"""service: a small real service. lab: ada's Jupyter server beside it. lesson: a first release with one notebook and data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.lab.server import Lab
from tests.support.notebooks import notebook
from tests.support.service.small_service import TOKEN, Service

PLACES = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's Jupyter set-up counts."""
    for name in PLACES:
        place = tmp_path / name.lower()
        place.mkdir(mode=0o700)
        monkeypatch.setenv(name, str(place))
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "1")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", TOKEN)
    for name in ("JUPYTERHUB_USER", "PMH_SERVICE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    service.start()
    yield service
    await service.stop()


@pytest.fixture
async def lab(service: Service, tmp_path: Path) -> AsyncIterator[Lab]:
    root = tmp_path / "root"
    root.mkdir()
    lab = await Lab(root, tmp_path / "home" / ".pmh", service.url).start()
    yield lab
    await lab.stop()


@pytest.fixture
def lesson(service: Service) -> dict[str, bytes]:
    """The files of the first release of `values`."""
    files = {"values.ipynb": notebook(swap="pass"), "data/numbers.csv": b"1,2,3\n"}
    service.publish("values", files)
    return files
