"""The wheel, installed without Node.js, runs the same hub as the checkout."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from pmh_jupyter.resource_paths import find_checkout
from tests.support.hub.hub_process import Person
from tests.support.hub.up_process import running_up
from tests.support.wheel import bare_checkout, build_wheel, install, path_without_node

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    root = find_checkout()
    assert root is not None
    completed = build_wheel(root, target)
    assert completed.returncode == 0, completed.stderr
    [path] = target.glob("*.whl")
    return path


@pytest.mark.parametrize(
    "ending",
    [
        ".data/data/share/jupyter/labextensions/pmh-jupyter/package.json",
        ".data/data/etc/jupyter/jupyter_server_config.d/pmh_jupyter.json",
        "pmh_jupyter/hub/proxy/bin/configurable-http-proxy.mjs",
        "pmh_jupyter/hub/proxy/bin/error/503.html",
        "pmh_jupyter/hub/proxy/LICENSES.txt",
        "pmh_jupyter/hub/jupyterhub_config.py",
        "pmh_jupyter/hub/templates/pmh-signup.html",
        "pmh_jupyter/storage/migrations/versions/0001_initial.py",
        "pmh_jupyter/courses/python-mastery/course.toml",
        "pmh_jupyter/requirements/server.lock",
    ],
)
def test_wheel_contains_file(wheel: Path, ending: str) -> None:
    assert any(name.endswith(ending) for name in zipfile.ZipFile(wheel).namelist())


def test_wheel_contains_every_template(wheel: Path) -> None:
    root = find_checkout()
    assert root is not None
    templates = {path.relative_to(root).as_posix() for path in (root / "pmh_jupyter").rglob("templates/*.html")}
    assert templates
    assert templates <= set(zipfile.ZipFile(wheel).namelist())


def test_wheel_contains_only_the_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    unexpected = [name for name in names if not name.startswith(("pmh_jupyter/", "pmh_jupyter-"))]
    assert not unexpected
    assert not [name for name in names if "__pycache__" in name or name.startswith("pmh_jupyter/labextension/")]


def test_wheel_of_a_checkout_without_assets_is_refused(tmp_path: Path) -> None:
    completed = build_wheel(bare_checkout(tmp_path / "clone"), tmp_path / "dist")
    assert completed.returncode != 0
    assert "make assets" in completed.stderr
    assert not (tmp_path / "dist").exists() or not list((tmp_path / "dist").iterdir())


@pytest.mark.timeout(600)
@pytest.mark.needs("linux", "setpriv")
def test_student_opens_a_lesson_on_a_hub_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    commands = install(wheel, tmp_path / "environment")
    path = f"{commands}:{path_without_node(tmp_path / 'bin')}"
    assert shutil.which("node", path=path) is None
    with running_up(tmp_path, [str(commands / "pmh")], PATH=path) as up:
        assert "NO SANDBOX" not in up.output
        student = Person(up, "ada", "correct horse battery")
        try:
            _open_first_lesson(student, up.join_code("Students"))
        finally:
            student.browser.close()
        assert "NO SANDBOX" not in up.log


def _open_first_lesson(student: Person, join_code: str) -> None:
    assert student.sign_up(join_code).status_code == 302
    student.start_server()
    outline = student.server("GET", "pmh/api/classrooms/demo/outline").json()
    lesson = outline["units"][0]["lessons"][0]["slug"]
    opened = student.server("POST", f"pmh/api/classrooms/demo/lessons/{lesson}/open", json={})
    assert opened.status_code == 200, opened.text
    notebook = student.server("GET", f"api/contents/{opened.json()['notebooks'][0]}").json()
    assert any(
        "### BEGIN" not in cell["source"] and cell["metadata"].get("nbgrader") for cell in notebook["content"]["cells"]
    )
    extensions = student.server("GET", "lab/api/extensions")
    assert "pmh-jupyter" in student.browser.get(f"{student.server_url}lab").text, extensions.text
