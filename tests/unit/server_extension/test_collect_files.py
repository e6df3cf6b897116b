"""Reading a lesson's files: which files are sent, and the limits, each with a message that names the file."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path

import pytest

from pmh_jupyter.errors import BadInput, InvalidNotebook, NotFound, TooLarge
from pmh_jupyter.server_extension import collect_files as module
from pmh_jupyter.server_extension.collect_files import collect_files
from pmh_jupyter.server_extension.lesson_folder import LessonFolder
from tests.support.notebooks import notebook

NOTEBOOK = notebook(swap="pass")


@pytest.fixture
def folder(tmp_path: Path) -> LessonFolder:
    folder = LessonFolder(tmp_path, "physics-1", "values")
    folder.write("values.ipynb", NOTEBOOK)
    return folder


def test_files_have_their_contents_and_hashes(folder: LessonFolder) -> None:
    folder.write("data/numbers.csv", b"1,2\n")

    files = collect_files(folder)

    assert {file.path: base64.b64decode(file.content) for file in files} == {
        "data/numbers.csv": b"1,2\n",
        "values.ipynb": NOTEBOOK,
    }
    assert all(file.sha256 == sha256(base64.b64decode(file.content)).hexdigest() for file in files)


def test_missing_folder_and_folder_without_a_notebook_are_reported(folder: LessonFolder, tmp_path: Path) -> None:
    folder.remove("values.ipynb")
    for empty_folder in (folder, LessonFolder(tmp_path, "physics-1", "loops")):
        with pytest.raises(NotFound, match=f"no notebook in {empty_folder.server_path}"):
            collect_files(empty_folder)


def test_invalid_notebook_is_named(folder: LessonFolder) -> None:
    folder.write("broken.ipynb", b"{ half")
    with pytest.raises(InvalidNotebook, match=r"broken\.ipynb"):
        collect_files(folder)


@pytest.mark.parametrize(
    ("limit", "name", "size", "message"),
    [
        ("MAX_NOTEBOOK_BYTES", "large.ipynb", 1 << 20, r"large\.ipynb is 1 MiB in size"),
        ("MAX_TOTAL_BYTES", "large.bin", 1 << 20, r"The largest is large\.bin with 1 MiB"),
    ],
)
def test_file_over_a_limit_of_size_is_named(
    folder: LessonFolder, monkeypatch: pytest.MonkeyPatch, limit: str, name: str, size: int, message: str
) -> None:
    folder.write(name, bytes(size))
    monkeypatch.setattr(module, limit, size - 1)
    with pytest.raises(TooLarge, match=message):
        collect_files(folder)


def test_number_of_files_is_limited(folder: LessonFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILES", 2)
    folder.write("a.csv", b"")
    assert len(collect_files(folder)) == 2
    folder.write("b.csv", b"")
    with pytest.raises(TooLarge, match="more than 2 files"):
        collect_files(folder)


def test_length_of_a_path_is_limited(folder: LessonFolder) -> None:
    folder.write("/".join(["x" * 200] * 2), b"")
    with pytest.raises(TooLarge, match="longer than 400 characters"):
        collect_files(folder)


@pytest.mark.parametrize("name", ["a\\b.csv", "line\nbreak.csv"])
def test_file_name_that_is_unsafe_elsewhere_is_rejected(folder: LessonFolder, name: str) -> None:
    (folder.path / name).touch()
    with pytest.raises(BadInput, match="cannot be sent"):
        collect_files(folder)
