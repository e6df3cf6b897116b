"""The folder of a lesson: safe names, links that are not followed, backups, leftovers of a killed process."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pmh_jupyter.errors import BadInput, Conflict
from pmh_jupyter.filesystem import TEMPORARY_PREFIX
from pmh_jupyter.server_extension.collect_files import LIMITS
from pmh_jupyter.server_extension.lesson_folder import LessonFolder, require_safe_name
from pmh_jupyter.submission_files import LeftOutPaths

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> LessonFolder:
    return LessonFolder(tmp_path, "physics-1", "values")


@pytest.mark.parametrize("name", ["x.ipynb", "data/x.csv", "a b/ü.txt", "..x", "x..", "...", "a/..b"])
def test_safe_name_is_accepted(name: str) -> None:
    assert require_safe_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "x/..", "x/../y", "/x", "//x", "x/", "x//y", "x/./y", "a\\b", "..\\x", "x\0", "C:\\x"],
)
def test_unsafe_name_is_rejected_by_every_method(name: str, folder: LessonFolder) -> None:
    for function in (require_safe_name, folder.resolve_path, folder.read, folder.remove):
        with pytest.raises(BadInput, match="not a path within"):
            function(name)
    with pytest.raises(BadInput):
        folder.write(name, b"")


def _list_names(folder: LessonFolder) -> list[str]:
    return [file.path for file in folder.read_files(LIMITS, LeftOutPaths())]


def test_symbolic_link_is_followed_by_no_method(folder: LessonFolder, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "x").write_bytes(b"secret")
    folder.path.mkdir(parents=True)
    (folder.path / "data").symlink_to(tmp_path / "secret")
    (folder.path / "x").symlink_to(tmp_path / "secret" / "x")

    for name in ("data/x", "x"):
        for method in (folder.read, folder.remove):
            with pytest.raises(Conflict, match="symbolic link"):
                method(name)
        with pytest.raises(Conflict, match="symbolic link"):
            folder.write(name, b"changed")
    assert _list_names(folder) == []
    assert (tmp_path / "secret" / "x").read_bytes() == b"secret"


def test_folder_that_is_a_link_is_not_listed(folder: LessonFolder, tmp_path: Path) -> None:
    folder.path.parent.mkdir(parents=True)
    folder.path.symlink_to("/etc")
    with pytest.raises(Conflict, match="symbolic link"):
        _list_names(folder)


def test_listing_leaves_out_hidden_and_special_files(folder: LessonFolder) -> None:
    for name in ("b.txt", "a/c.ipynb", ".hidden/x", ".dot", "__pycache__/x.pyc", ".ipynb_checkpoints/a.ipynb"):
        folder.write(name, b"12")
    os.mkfifo(folder.path / "pipe")

    assert _list_names(folder) == ["a/c.ipynb", "b.txt"]


def test_file_with_the_path_of_a_folder_is_reported(folder: LessonFolder) -> None:
    folder.write("data", b"a file")
    with pytest.raises(Conflict, match="something else with this path"):
        folder.write("data/x.csv", b"")
    with pytest.raises(Conflict, match="something else with this path"):
        folder.read("data/x.csv")


def test_backup_has_the_lesson_and_the_time_in_its_name(folder: LessonFolder) -> None:
    path = folder.back_up({"a.ipynb": b"1", "d/b.csv": b"2"}, NOW)

    assert path == "courses/physics-1/.before-update/values-20261120T120000000000Z"
    backup = folder.path.parents[2] / path
    assert (backup / "a.ipynb").read_bytes() == b"1" and (backup / "d" / "b.csv").read_bytes() == b"2"


def test_interrupted_backup_is_not_visible_and_is_deleted(
    folder: LessonFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: Path, target: Path) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="killed"):
        patch.setattr(os, "rename", fail)
        folder.back_up({"a.ipynb": b"1"}, NOW)
    backups = folder.path.parent / ".before-update"
    assert [path.name.startswith(TEMPORARY_PREFIX) for path in backups.iterdir()] == [True]

    folder.remove_temporary_files()
    assert list(backups.iterdir()) == []


def test_temporary_files_of_a_killed_process_are_deleted(folder: LessonFolder) -> None:
    folder.write("d/x.csv", b"")
    (folder.path / "d" / f"{TEMPORARY_PREFIX}1").write_bytes(b"half")
    folder.remove_temporary_files()
    assert [path.name for path in (folder.path / "d").iterdir()] == ["x.csv"]
