"""Files that an nbgrader course keeps outside its assignments are found from an assignment's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmh_jupyter.authoring.nbgrader.course_files import find_shared_files
from pmh_jupyter.errors import BadInput


def _course(root: Path, configuration: str) -> Path:
    assignment = root / "source" / "ps1"
    assignment.mkdir(parents=True)
    (root / "source" / "header.ipynb").write_text("{}")
    (root / "autotests.yml").write_text("python3:")
    (root / "nbgrader_config.py").write_text(configuration)
    return assignment


def test_header_and_templates_of_the_course_are_found(tmp_path: Path) -> None:
    shared = find_shared_files(
        _course(tmp_path, 'c = get_config()\nc.IncludeHeaderFooter.header = "source/header.ipynb"\n')
    )
    assert shared.header and shared.header.content == b"{}"
    assert shared.footer is None
    assert shared.autotests and shared.autotests.content == b"python3:"


def test_notebook_finds_the_files_of_its_folder(tmp_path: Path) -> None:
    notebook = _course(tmp_path, "") / "problem1.ipynb"
    notebook.write_text("{}")
    assert find_shared_files(notebook).autotests


def test_templates_beside_the_notebooks_take_precedence(tmp_path: Path) -> None:
    assignment = _course(tmp_path, "")
    (assignment / "autotests.yml").write_text("mine:")
    shared = find_shared_files(assignment)
    assert shared.autotests and shared.autotests.content == b"mine:"


@pytest.mark.parametrize(
    "configuration",
    [
        'import pathlib\npathlib.Path("ran").touch()\nc.IncludeHeaderFooter.header = "source/header.ipynb"\n',
        'c.IncludeHeaderFooter.header = "source/" + name\n',
        "c.IncludeHeaderFooter.header = 3\n",
        "this is no python\n",
        "",
    ],
)
def test_configuration_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configuration: str) -> None:
    monkeypatch.chdir(tmp_path)
    shared = find_shared_files(_course(tmp_path, configuration))
    assert bool(shared.header) == ('"source/header.ipynb"' in configuration)
    assert not (tmp_path / "ran").exists()


def test_missing_header_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="names gone.ipynb"):
        find_shared_files(_course(tmp_path, 'c.IncludeHeaderFooter.header = "gone.ipynb"\n'))


def test_folder_without_a_course_has_no_shared_files(tmp_path: Path) -> None:
    shared = find_shared_files(tmp_path)
    assert (shared.header, shared.footer, shared.autotests) == (None, None, None)
