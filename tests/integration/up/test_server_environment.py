"""The lean environment of users' servers, really built."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import pytest

from pmh_jupyter.hub.up.progress import Progress
from pmh_jupyter.hub.up.server_environment import ensure_server_environment

pytestmark = pytest.mark.slow

PROBE = """
import importlib.util, json, sys
import jupyterlab.labapp, jupyterhub.singleuser, ipykernel, pmh_jupyter.server_extension
print(json.dumps({
    "package": pmh_jupyter.__file__,
    "unwanted": [name for name in ("nbgrader", "dockerspawner", "lark", "rfc3987_syntax", "pip") if importlib.util.find_spec(name)],
}))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def _build(data: Path) -> tuple[Path, str]:
    output = io.StringIO()
    return ensure_server_environment(data, Progress(output)), output.getvalue()


@pytest.fixture(scope="module")
def python(data: Path) -> Path:
    return _build(data)[0]


def test_environment_has_what_a_server_needs_and_nothing_else(python: Path, data: Path) -> None:
    completed = subprocess.run([python, "-I", "-c", PROBE], capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    report = json.loads(completed.stdout)
    assert Path(report["package"]).is_relative_to(data), "it has its own copy of our package"
    assert report["unwanted"] == []


def test_server_extension_and_panel_are_enabled(python: Path) -> None:
    completed = subprocess.run([python, "-m", "jupyter", "server", "extension", "list"], capture_output=True, text=True)
    assert "pmh_jupyter.server_extension" in completed.stdout + completed.stderr
    assert (python.parents[1] / "share/jupyter/labextensions/pmh-jupyter/package.json").exists()


def test_courses_and_proxy_are_not_copied(python: Path) -> None:
    [package] = python.parents[1].glob("lib/python3*/site-packages/pmh_jupyter")
    assert not (package / "courses").exists()
    assert not (package / "hub" / "proxy").exists()


def test_bytecode_is_compiled(python: Path) -> None:
    [package] = python.parents[1].glob("lib/python3*/site-packages/pmh_jupyter")
    assert list((package / "domain" / "__pycache__").glob("course.*.pyc"))
    assert list((package.parent / "tornado" / "__pycache__").glob("web.*.pyc"))


def test_pmh_command_works(python: Path) -> None:
    completed = subprocess.run([python.parent / "pmh", "--help"], capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    assert "course" in completed.stdout


def test_second_build_does_nothing(python: Path, data: Path) -> None:
    before = python.parents[1].stat().st_mtime_ns
    assert _build(data) == (python, "")
    assert python.parents[1].stat().st_mtime_ns == before


def test_interrupted_copy_is_repeated(python: Path, data: Path) -> None:
    (data / "server-env" / ".package.stamp").unlink()
    [package] = python.parents[1].glob("lib/python3*/site-packages/pmh_jupyter")
    (package / "errors.py").unlink()
    _, output = _build(data)
    assert "Installing pmh_jupyter into it" in output
    assert (package / "errors.py").exists()
