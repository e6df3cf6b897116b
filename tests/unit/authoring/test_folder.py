from __future__ import annotations

from pathlib import Path

import pytest

from pmh_jupyter.authoring import folder
from pmh_jupyter.authoring.folder import find_path_problems, read_folder
from pmh_jupyter.domain.course import File
from pmh_jupyter.errors import BadInput, InvalidCourse, TooLarge


def write(path: Path, content: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def test_files_are_sorted_and_have_relative_paths(tmp_path: Path) -> None:
    for name in ("b/two.csv", "course.toml", "a/one größe.md"):
        write(tmp_path / name, name)
    assert [file.path for file in read_folder(tmp_path)] == ["a/one größe.md", "b/two.csv", "course.toml"]
    assert read_folder(str(tmp_path))[1] == File("b/two.csv", b"b/two.csv")


def test_files_that_tools_leave_behind_are_ignored(tmp_path: Path) -> None:
    for name in (".git/config", "a/.ipynb_checkpoints/n.ipynb", "a/__pycache__/m.pyc", ".DS_Store", "a/kept"):
        write(tmp_path / name)
    assert [file.path for file in read_folder(tmp_path)] == ["a/kept"]


def test_link_within_the_folder_is_read(tmp_path: Path) -> None:
    write(tmp_path / "a" / "data.csv", "1")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "data.csv").symlink_to(tmp_path / "a" / "data.csv")
    assert read_folder(tmp_path)[1] == File("b/data.csv", b"1")


def test_links_out_of_the_folder_are_all_reported(tmp_path: Path) -> None:
    write(tmp_path / "secret" / "key")
    course = tmp_path / "course"
    write(course / "fine")
    (course / "key").symlink_to(tmp_path / "secret" / "key")
    (course / "folder").symlink_to(tmp_path / "secret")
    (course / "nowhere").symlink_to(course / "missing")
    with pytest.raises(InvalidCourse) as error:
        read_folder(course)
    assert {problem.file for problem in error.value.problems} == {"key", "folder", "nowhere"}


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "course.toml")
    for path in (tmp_path / "missing", tmp_path / "course.toml"):
        with pytest.raises(BadInput, match="is not a folder"):
            read_folder(path)


@pytest.mark.parametrize(("limit", "message"), [("MAX_FILES", "more than 1 files"), ("MAX_BYTES", "exceeded at b")])
def test_folder_over_a_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, message: str
) -> None:
    monkeypatch.setattr(folder, limit, 1)
    write(tmp_path / "a")
    assert len(read_folder(tmp_path)) == 1
    write(tmp_path / "b")
    with pytest.raises(TooLarge, match=message):
        read_folder(tmp_path)


def test_file_that_is_too_large_is_named_and_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.ipynb").open("wb") as file:
        file.truncate(60 << 20)
    with pytest.raises(TooLarge, match=r"larger than 32 MiB .* at huge\.ipynb"):
        read_folder(tmp_path)


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "a//b", "a\\b", "a\nb", "./a", "", "a" * 401])
def test_invalid_path_is_reported(path: str) -> None:
    assert len(list(find_path_problems((File(path, b""), File("fine", b""))))) == 1


def test_names_that_differ_in_case_only_are_reported() -> None:
    (problem,) = find_path_problems((File("Data.csv", b""), File("data.csv", b"")))
    assert problem.file == "data.csv"
