"""The lean environment of users' servers, really made."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import pytest

from pmh_jupyter.hub.up.progress import Progress
from pmh_jupyter.hub.up.server_environment import ensure_server_environment

pytestmark = pytest.mark.slow

ASK = """
import importlib.util, json, sys
import jupyterlab.labapp, jupyterhub.singleuser, ipykernel, pmh_jupyter.server_extension
print(json.dumps({
    "ours": pmh_jupyter.__file__,
    "there": [name for name in ("nbgrader", "dockerspawner", "lark", "rfc3987_syntax", "pip") if importlib.util.find_spec(name)],
}))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def _make(data: Path) -> tuple[Path, str]:
    told = io.StringIO()
    return ensure_server_environment(data, Progress(told)), told.getvalue()


@pytest.fixture(scope="module")
def python(data: Path) -> Path:
    return _make(data)[0]


def test_it_runs_what_a_server_runs_and_holds_nothing_else(python: Path, data: Path) -> None:
    done = subprocess.run([python, "-I", "-c", ASK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert Path(answer["ours"]).is_relative_to(data), "our own package is a copy, not the hub's"
    assert answer["there"] == []


def test_the_extension_and_the_panel_are_switched_on(python: Path) -> None:
    done = subprocess.run([python, "-m", "jupyter", "server", "extension", "list"], capture_output=True, text=True)
    assert "pmh_jupyter.server_extension" in done.stdout + done.stderr
    assert (python.parents[1] / "share/jupyter/labextensions/pmh-jupyter/package.json").exists()


def test_solutions_and_the_proxy_stay_behind(python: Path) -> None:
    [package] = python.parents[1].glob("lib/python3*/site-packages/pmh_jupyter")
    assert not (package / "courses").exists()
    assert not (package / "hub" / "proxy").exists()


def test_its_users_need_not_compile_anything(python: Path) -> None:
    [package] = python.parents[1].glob("lib/python3*/site-packages/pmh_jupyter")
    assert list((package / "domain" / "__pycache__").glob("course.*.pyc"))
    assert list((package.parent / "tornado" / "__pycache__").glob("web.*.pyc"))


def test_pmh_works_in_it(python: Path) -> None:
    done = subprocess.run([python.parent / "pmh", "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "course" in done.stdout


def test_made_once_it_is_left_alone(python: Path, data: Path) -> None:
    before = python.parents[1].stat().st_mtime_ns
    assert _make(data) == (python, "")
    assert python.parents[1].stat().st_mtime_ns == before


def test_an_interrupted_copy_is_made_again(python: Path, data: Path) -> None:
    (data / "server-env" / ".package.stamp").unlink()
    [package] = python.parents[1].glob("lib/python3*/site-packages/pmh_jupyter")
    (package / "errors.py").unlink()
    _, told = _make(data)
    assert "Putting pmh_jupyter into it" in told
    assert (package / "errors.py").exists()
