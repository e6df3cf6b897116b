"""Reading a lesson's files: which files are sent, and what is left out and named instead of refusing the submission."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from pmh_jupyter.domain.feedback_text import format_message
from pmh_jupyter.errors import InvalidNotebook, NotFound, TooLarge
from pmh_jupyter.server_extension.collect_files import LIMITS, collect_files
from pmh_jupyter.server_extension.lesson_folder import LessonFolder
from pmh_jupyter.submission_files import FileLimits
from tests.support.deep_folders import deep_folder
from tests.support.notebooks import notebook

NOTEBOOK = notebook(swap="pass")


@pytest.fixture
def folder(tmp_path: Path) -> LessonFolder:
    folder = LessonFolder(tmp_path, "physics-1", "values")
    folder.write("values.ipynb", NOTEBOOK)
    return folder


def collect(folder: LessonFolder, limits: FileLimits = LIMITS) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the names of the files to send, and code and path of each message."""
    collected = collect_files(folder, limits)
    assert all(format_message(message).isprintable() for message in collected.left_out)
    return [file.path for file in collected.files], [(m.code, m.params["path"]) for m in collected.left_out]


def test_files_have_their_contents_and_hashes(folder: LessonFolder) -> None:
    folder.write("data/numbers.csv", b"1,2\n")

    files = collect_files(folder).files

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


def test_broken_notebook_beside_the_lessons_is_named(folder: LessonFolder) -> None:
    folder.write("broken.ipynb", b"{ half")
    assert collect(folder) == (["broken.ipynb", "values.ipynb"], [("left-out-notebook", "broken.ipynb")])


def test_submission_is_refused_if_only_other_notebooks_can_be_read(folder: LessonFolder) -> None:
    folder.write("values.ipynb", b"{ half")
    folder.write("scratch.ipynb", b'{"cells": []}')
    with pytest.raises(InvalidNotebook, match=r"values\.ipynb"):
        collect_files(folder)


def test_large_notebook_is_left_out_or_refused_if_it_is_the_only_one(folder: LessonFolder) -> None:
    folder.write("large.ipynb", bytes(2_000))
    limits = replace(LIMITS, max_notebook_bytes=1_999)
    assert collect(folder, limits) == (["values.ipynb"], [("left-out-large-notebook", "large.ipynb")])
    folder.remove("values.ipynb")
    with pytest.raises(TooLarge, match=r"large\.ipynb is too large"):
        collect_files(folder, limits)


def test_large_file_is_left_out(folder: LessonFolder) -> None:
    folder.write("large.bin", bytes(2_000))
    assert collect(folder, replace(LIMITS, max_bytes=1_999)) == (["values.ipynb"], [("left-out-large", "large.bin")])


def test_files_beyond_the_limit_are_left_out(folder: LessonFolder) -> None:
    for name in ("a.csv", "b.csv"):
        folder.write(name, b"")
    assert collect(folder, replace(LIMITS, max_files=2)) == (
        ["values.ipynb", "a.csv"],
        [("left-out-large", "b.csv")],
    )


@pytest.mark.parametrize("name", ["a\\b.csv", "line\nbreak.csv", os.fsdecode(b"gr\xfc\xdfe.csv")])
def test_file_name_that_is_unsafe_elsewhere_is_left_out(folder: LessonFolder, name: str) -> None:
    (folder.path / name).touch()
    names, [(code, _)] = collect(folder)
    assert (names, code) == (["values.ipynb"], "left-out-name")


def test_long_path_is_left_out(folder: LessonFolder) -> None:
    folder.write("/".join(["x" * 200] * 2), b"")
    assert [code for code, _ in collect(folder)[1]] == ["left-out-name"]


def test_links_pipes_and_environments_are_left_out(folder: LessonFolder) -> None:
    (folder.path / "link.csv").symlink_to("/etc/passwd")
    (folder.path / "loop").symlink_to(".")
    os.mkfifo(folder.path / "pipe")
    folder.write("venv/pyvenv.cfg", b"")
    assert collect(folder) == (
        ["values.ipynb"],
        [("left-out-link", "link.csv, loop"), ("left-out-environment", "venv"), ("left-out-unreadable", "pipe")],
    )


def test_deep_folders_are_left_out(folder: LessonFolder) -> None:
    with deep_folder(folder.path):
        assert [code for code, _ in collect(folder)[1]] == ["left-out-name"]
