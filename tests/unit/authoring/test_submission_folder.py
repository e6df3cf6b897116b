"""Reading a submission: the notebook is read, and whatever lies beside it costs nothing but a message."""

from __future__ import annotations

import errno
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pmh_jupyter.authoring import submission_folder
from pmh_jupyter.authoring.submission_folder import LIMITS, read_grade_ids, read_submission
from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.feedback_text import format_message
from pmh_jupyter.domain.submission import LocalSubmission
from pmh_jupyter.errors import BadInput, InvalidNotebook, TooLarge
from pmh_jupyter.submission_files import MAX_DEPTH, FileLimits, FolderReader

NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
TEXT_NOTEBOOK = b"---\njupytext:\n  text_representation: {extension: .md, format_name: myst}\n---\n\nHello.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a student's folder with the lesson's notebook."""
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "lesson.ipynb").write_bytes(NOTEBOOK)
    return folder


def read(folder: Path, limits: FileLimits = LIMITS) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the names of the files that were read, and code and path of each message."""
    submission = read_submission(str(folder), limits=limits)
    assert all(format_message(message).isprintable() for message in submission.messages)
    return [file.path for file in submission.files], [(m.code, m.params["path"]) for m in submission.messages]


def test_data_files_are_read(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "numbers.csv").write_text("1,2")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "lesson.ipynb").write_text("old")
    assert read(folder) == (["lesson.ipynb", "data/numbers.csv"], [])


@pytest.mark.parametrize("content", [b"", b"<<<<<<< HEAD\n{}", b"[1, 2]", b"<!doctype html>"])
@pytest.mark.parametrize("name", ["Untitled.ipynb", "old/lesson.ipynb"])
def test_broken_notebook_beside_the_lesson_is_named(folder: Path, name: str, content: bytes) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    assert read(folder)[1] == [("left-out-notebook", name)]


def test_broken_text_notebook_stays_a_data_file(folder: Path) -> None:
    (folder / "notes.md").write_bytes(b"---\njupytext: {}\n---\n\n```{code-cell}\n---\na: [\n---\n```\n")
    assert read(folder) == (["lesson.ipynb", "notes.md"], [("left-out-notebook", "notes.md")])


def test_text_that_takes_too_long_to_convert_is_left_out_and_so_are_those_after_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def convert_forever(file: File) -> File:
        for _ in itertools.count():
            pass
        return file

    monkeypatch.setattr(submission_folder, "CONVERSION_SECONDS", 0.05)
    monkeypatch.setattr(submission_folder, "to_ipynb", convert_forever)
    for name in ("a.md", "b.md"):
        (folder / name).write_bytes(TEXT_NOTEBOOK)
    assert read(folder) == (["a.md", "b.md", "lesson.ipynb"], [("left-out-notebook", "a.md, b.md")])


def test_jupytext_companion_stays_a_data_file(folder: Path) -> None:
    (folder / "lesson.md").write_bytes(TEXT_NOTEBOOK)
    assert read(folder) == (["lesson.ipynb", "lesson.md"], [])


def test_text_notebook_alone_is_converted(folder: Path) -> None:
    (folder / "lesson.ipynb").unlink()
    (folder / "lesson.md").write_bytes(TEXT_NOTEBOOK)
    assert read(folder) == (["lesson.ipynb"], [])


def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "file.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "nowhere").symlink_to("missing")
    (folder / "outside").symlink_to(tmp_path)
    (folder / "loop").symlink_to(".")
    names, messages = read(folder)
    assert names == ["lesson.ipynb"]
    assert messages == [("left-out-link", "file.txt, loop, nowhere, … (+1)")]


@pytest.mark.parametrize("path", ["ada", "ada/lesson.ipynb", "linked-folder/lesson.ipynb"])
def test_link_below_the_named_folder_leads_nowhere(folder: Path, tmp_path: Path, path: str) -> None:
    folder.rename(tmp_path / "elsewhere")
    (tmp_path / "submitted").mkdir()
    (tmp_path / "submitted" / "ada").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "submitted" / "linked-folder").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="cannot be read"):
        read_submission(str(tmp_path / "submitted" / path), str(tmp_path / "submitted"))
    assert read_grade_ids(str(tmp_path / "submitted" / path), str(tmp_path / "submitted")) == frozenset()


def test_link_that_is_named_itself_is_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "link.ipynb").symlink_to(folder / "lesson.ipynb")
    assert read(tmp_path / "link")[0] == ["lesson.ipynb"]
    assert read(tmp_path / "link.ipynb")[0] == ["link.ipynb"]


def test_folder_that_is_replaced_by_a_link_leads_nowhere(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is listed, and replaced before the file in it is opened."""
    (folder / "data").mkdir()
    (folder / "data" / "numbers.csv").write_text("own")
    (tmp_path / "numbers.csv").write_text("secret")
    original_walk = FolderReader._walk

    def walk_and_replace(reader: FolderReader, descriptor: int, prefix: str, depth: int) -> Iterator[str]:
        yield from list(original_walk(reader, descriptor, prefix, depth))
        if prefix == "data/":
            (folder / "data").rename(tmp_path / "moved")
            (folder / "data").symlink_to(tmp_path)

    monkeypatch.setattr(FolderReader, "_walk", walk_and_replace)
    submission = read_submission(str(folder))
    assert [file.path for file in submission.files] == ["lesson.ipynb"]
    assert [(m.code, m.params["path"]) for m in submission.messages] == [("left-out-unreadable", "data/numbers.csv")]


def test_link_to_an_environment_is_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (folder / "env").symlink_to(tmp_path / "env")
    assert read(folder)[1] == [("left-out-link", "env")]


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the names of files that cannot be opened: permissions do not apply to root, who may run the tests."""
    names: set[str] = set()
    original_open = os.open

    def open_file(path: str, flags: int, *, dir_fd: int | None = None) -> int:
        if os.path.basename(path) in names:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return original_open(path, flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", open_file)
    return names


def test_file_that_cannot_be_opened_is_left_out(folder: Path, unreadable: set[str]) -> None:
    (folder / "data.csv").write_text("1")
    unreadable.add("data.csv")
    assert read(folder) == (["lesson.ipynb"], [("left-out-unreadable", "data.csv")])


def test_single_notebook_that_cannot_be_opened_is_refused_with_the_reason(folder: Path, unreadable: set[str]) -> None:
    unreadable.add("lesson.ipynb")
    with pytest.raises(BadInput, match=r"lesson\.ipynb cannot be read: Permission denied\."):
        read_submission(str(folder / "lesson.ipynb"))


def test_folder_that_cannot_be_listed_is_left_out(folder: Path, unreadable: set[str]) -> None:
    (folder / "locked").mkdir()
    unreadable.add("locked")
    assert read(folder) == (["lesson.ipynb"], [("left-out-unreadable", "locked")])


def test_named_pipe_does_not_wait_for_a_writer(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert read(folder) == (["lesson.ipynb"], [("left-out-unreadable", "pipe")])


def test_name_that_is_not_utf8_is_shown_with_escapes(folder: Path) -> None:
    (folder / os.fsdecode(b"gr\xfc\xdfe.csv")).write_text("1")
    assert read(folder) == (["lesson.ipynb"], [("left-out-name", r"gr\udcfc\udcdfe.csv")])


def test_environments_are_left_out_as_a_whole(folder: Path) -> None:
    for name, marker in (("venv", "pyvenv.cfg"), ("node_modules", "package.json")):
        (folder / name).mkdir()
        (folder / name / marker).write_text("")
    assert read(folder) == (["lesson.ipynb"], [("left-out-environment", "node_modules, venv")])


def test_files_beyond_the_limit_are_counted_by_folder(folder: Path) -> None:
    (folder / "many").mkdir()
    for number in range(10):
        (folder / "many" / f"{number}.txt").write_text("x")
    names, messages = read(folder, replace(LIMITS, max_files=3))
    assert names == ["lesson.ipynb", "many/0.txt", "many/1.txt"]
    assert messages == [("left-out-large", "many/ (8)")]


def test_large_file_is_left_out(folder: Path) -> None:
    limits = FileLimits(max_files=9, max_bytes=1_000, max_notebook_bytes=1_000)
    (folder / "a-large.bin").write_bytes(bytes(2_000))
    (folder / "small.bin").write_bytes(bytes(20))
    assert read(folder, limits) == (["lesson.ipynb", "small.bin"], [("left-out-large", "a-large.bin")])
    with pytest.raises(TooLarge):
        read_submission(str(folder / "a-large.bin"), limits=limits)


def test_folders_are_read_to_a_limited_depth(folder: Path) -> None:
    deep = folder.joinpath(*["d"] * 60)
    deep.mkdir(parents=True)
    (deep / "deep.txt").write_text("x")
    names, ((code, path),) = read(folder)
    assert (names, code, path.count("/")) == (["lesson.ipynb"], "left-out-name", MAX_DEPTH)


def test_submission_whose_only_notebook_is_broken_is_refused_by_name(folder: Path) -> None:
    (folder / "lesson.ipynb").write_text("{")
    with pytest.raises(InvalidNotebook, match=r"ada: lesson\.ipynb is not a notebook"):
        read_submission(str(folder))


@pytest.mark.parametrize("path", ["nothing", "empty"])
def test_submission_without_a_notebook_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput):
        read_submission(str(tmp_path / path))


def test_single_notebook_is_a_submission(folder: Path) -> None:
    assert isinstance(read_submission(str(folder / "lesson.ipynb")), LocalSubmission)
