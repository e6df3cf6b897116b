"""The lesson's folder: names that stay inside, links that are not followed, files that are whole."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pmh_jupyter.errors import BadInput, Conflict
from pmh_jupyter.filesystem import TEMPORARY_PREFIX, write_atomically
from pmh_jupyter.server_extension.lesson_folder import LessonFolder, check_name

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> LessonFolder:
    return LessonFolder(tmp_path, "physics-1", "values")


@pytest.mark.parametrize("name", ["x.ipynb", "data/x.csv", "a b/ü.txt", "..x", "x..", "...", "a/..b"])
def test_names_inside(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "x/..", "x/../y", "/x", "//x", "x/", "x//y", "x/./y", "a\\b", "..\\x", "x\0", "C:\\x"],
)
def test_names_that_lead_elsewhere(name: str, folder: LessonFolder) -> None:
    for use in (check_name, folder.resolve_path, folder.read, folder.remove):
        with pytest.raises(BadInput, match="not a path within"):
            use(name)
    with pytest.raises(BadInput):
        folder.write(name, b"")


def test_a_link_is_not_followed_by_anything(folder: LessonFolder, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "x").write_bytes(b"secret")
    folder.path.mkdir(parents=True)
    (folder.path / "data").symlink_to(tmp_path / "secret")
    (folder.path / "x").symlink_to(tmp_path / "secret" / "x")

    for name in ("data/x", "x"):
        for use in (folder.read, folder.remove):
            with pytest.raises(Conflict, match="symbolic link"):
                use(name)
        with pytest.raises(Conflict, match="symbolic link"):
            folder.write(name, b"changed")
    assert list(folder.list_files()) == []
    assert (tmp_path / "secret" / "x").read_bytes() == b"secret"


def test_a_folder_that_is_a_link_is_not_listed(folder: LessonFolder, tmp_path: Path) -> None:
    folder.path.parent.mkdir(parents=True)
    folder.path.symlink_to("/etc")
    with pytest.raises(Conflict, match="symbolic link"):
        list(folder.list_files())


def test_the_listing_leaves_out_what_is_hidden_or_special(folder: LessonFolder) -> None:
    for name in ("b.txt", "a/c.ipynb", ".hidden/x", ".dot", "__pycache__/x.pyc", ".ipynb_checkpoints/a.ipynb"):
        folder.write(name, b"12")
    os.mkfifo(folder.path / "pipe")

    assert list(folder.list_files()) == [("a/c.ipynb", 2), ("b.txt", 2)]


def test_a_file_in_the_way_of_a_folder_is_told(folder: LessonFolder) -> None:
    folder.write("data", b"a file")
    with pytest.raises(Conflict, match="something else with this path"):
        folder.write("data/x.csv", b"")
    with pytest.raises(Conflict, match="something else with this path"):
        folder.read("data/x.csv")


def test_a_copy_is_whole_or_not_there(folder: LessonFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.back_up({"a.ipynb": b"1", "d/b.csv": b"2"}, NOW)

    assert path == "courses/physics-1/.before-update/values-20261120T120000000000Z"
    copy = folder.path.parents[2] / path
    assert (copy / "a.ipynb").read_bytes() == b"1" and (copy / "d" / "b.csv").read_bytes() == b"2"


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(file, b"new")

    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"old")
    file.chmod(0o640)
    write_atomically(file, b"new")
    assert file.stat().st_mode & 0o777 == 0o640


def test_what_a_kill_left_behind_is_swept(folder: LessonFolder) -> None:
    folder.write("d/x.csv", b"")
    (folder.path / "d" / f"{TEMPORARY_PREFIX}1").write_bytes(b"half")
    folder.remove_temporary_files()
    assert [path.name for path in (folder.path / "d").iterdir()] == ["x.csv"]
