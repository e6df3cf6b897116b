"""Which submissions `pmh grade` finds below the paths on its command line, and what it lists instead of guessing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pmh_jupyter.authoring.submission_folder import read_grade_ids
from pmh_jupyter.cli.grade.discover import DiscoveredSubmissions, find_submissions
from tests.support.grading.lesson import RIGHT, build_lesson, fill_in_answers, make_notebook_file

SUBMITTED = make_notebook_file(fill_in_answers(RIGHT)).content
OTHER = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "submitted"


def write(root: Path, *paths: str, content: bytes = SUBMITTED) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


def find(root: Path, *paths: str, source: str = "lesson/", name: str = "") -> DiscoveredSubmissions:
    """Find submissions for a source with this path, of which a name that ends in "/" is a folder."""
    location = root.parent / "source" / source
    (location if source.endswith("/") else location.parent).mkdir(parents=True, exist_ok=True)
    release = replace(build_lesson(), lesson=name or location.name.removesuffix(".ipynb"))
    return find_submissions([str(root / path) for path in paths or ("",)], release, str(location))


def relative(root: Path, discovered: DiscoveredSubmissions) -> list[str]:
    return [Path(path).relative_to(root).as_posix() for path in discovered.paths]


@pytest.mark.parametrize(
    ("layout", "source", "submissions"),
    [
        pytest.param(["ann/lesson.ipynb", "bob/lesson.ipynb"], "lesson/", ["ann", "bob"], id="expected names"),
        pytest.param(["ann/renamed.ipynb", "bob/lesson.ipynb"], "lesson/", ["ann", "bob"], id="renamed notebook"),
        pytest.param(
            ["ann/lesson/lesson.ipynb", "ann/ps2/lesson.ipynb"],
            "lesson/",
            ["ann/lesson"],
            id="folder of the lesson beside another",
        ),
        pytest.param(
            ["ann/Homework 2.2/lesson.ipynb", "bob/Homework 2.2/lesson.ipynb"],
            "Homework 2.2/",
            ["ann/Homework 2.2", "bob/Homework 2.2"],
            id="folder name with spaces and a dot",
        ),
        pytest.param(
            ["ann/homework 2.2/lesson.ipynb", "bob/HOMEWORK 2.2/a.ipynb"],
            "Homework 2.2/",
            ["ann/homework 2.2", "bob/HOMEWORK 2.2"],
            id="upper and lower case differ",
        ),
        pytest.param(
            ["ann/\u00dcbung/lesson.ipynb", "bob/U\u0308bung/lesson.ipynb"],
            "\u00dcbung/",
            ["ann/\u00dcbung", "bob/U\u0308bung"],
            id="Unicode forms differ",
        ),
        pytest.param(
            ["ann/ps1/lesson.ipynb", "bob/ps1/lesson.ipynb"],
            "ps1/lesson.ipynb",
            ["ann/ps1", "bob/ps1"],
            id="folder of the source notebook",
        ),
        pytest.param(
            ["ann/lesson/x.ipynb", "bob/lesson/x.ipynb"],
            "ps1/lesson.ipynb",
            ["ann/lesson", "bob/lesson"],
            id="folder with the notebook's name",
        ),
        pytest.param(
            ["ann/attempt/ps1/lesson.ipynb", "bob/a/b/ps1/lesson.ipynb"],
            "ps1/",
            ["ann/attempt/ps1", "bob/a/b/ps1"],
            id="nested at different depths",
        ),
        pytest.param(
            ["ann/ps1/ps1/lesson.ipynb", "bob/ps1/lesson.ipynb"],
            "ps1/",
            ["ann/ps1/ps1", "bob/ps1"],
            id="nested in a folder of its own name",
        ),
        pytest.param(
            ["ann/notes.ipynb", "ann/lesson/lesson.ipynb", "bob/lesson/lesson.ipynb"],
            "lesson/",
            ["ann/lesson", "bob/lesson"],
            id="other notebook beside the folder",
        ),
        pytest.param(
            [".cache/lesson.ipynb", "__MACOSX/lesson.ipynb", "ann/lesson.ipynb", "bob/lesson.ipynb"],
            "lesson/",
            ["ann", "bob"],
            id="hidden folders are ignored",
        ),
        pytest.param(["ann.ipynb", "bob.ipynb"], "lesson/", ["ann.ipynb", "bob.ipynb"], id="notebook per student"),
    ],
)
def test_each_student_of_a_folder_is_one_submission(
    root: Path, layout: list[str], source: str, submissions: list[str]
) -> None:
    write(root, *layout)
    discovered = find(root, source=source)
    assert relative(root, discovered) == submissions
    assert discovered.unmapped == []


@pytest.mark.parametrize(
    ("layout", "path", "submission"),
    [
        pytest.param(["ann/lesson.ipynb"], "ann", "ann", id="expected name"),
        pytest.param(["ann/lesson.ipynb", "ann/old/lesson.ipynb"], "ann", "ann", id="older version below"),
        pytest.param(
            ["ann/lesson/lesson.ipynb", "ann/ps2/lesson.ipynb"],
            "ann",
            "ann/lesson",
            id="folder of the lesson beside another",
        ),
        pytest.param(["ann/lesson/lesson.ipynb"], "ann/lesson", "ann/lesson", id="the folder of the lesson itself"),
        pytest.param(["ann/renamed.ipynb", "ann/extra/other.ipynb"], "ann", "ann", id="renamed notebook"),
        pytest.param(["ann/lesson-Copy1.ipynb", "ann/lesson (2).ipynb"], "ann", "ann", id="two copies"),
        pytest.param(["ann.ipynb"], "ann.ipynb", "ann.ipynb", id="a notebook"),
    ],
)
def test_path_of_one_student_is_one_submission(root: Path, layout: list[str], path: str, submission: str) -> None:
    write(root, *layout)
    discovered = find(root, path)
    assert relative(root, discovered) == [submission] and discovered.unmapped == []


def test_folder_without_the_lesson_is_listed_with_the_rule(root: Path) -> None:
    write(root, "ann/lesson/lesson.ipynb", "cid/ps2/lesson.ipynb")
    (root / "dan").mkdir()
    discovered = find(root)
    assert relative(root, discovered) == ["ann/lesson"]
    assert [Path(unmapped.path).name for unmapped in discovered.unmapped] == ["cid", "dan"]
    assert "contains no notebook" in str(discovered.unmapped[0])
    assert "no folder named “lesson”" in str(discovered.unmapped[0])


def test_folder_of_students_is_never_taken_for_one_student(root: Path) -> None:
    write(root, "ann/hw2/deep/er/still/lesson.ipynb", "bob/hw2/lesson.ipynb")
    assert find(root).paths == []
    assert [Path(unmapped.path).name for unmapped in find(root).unmapped] == ["ann", "bob"]


@pytest.mark.parametrize("stray", ["lesson.ipynb", "gradebook.ipynb"])
def test_notebook_beside_the_students_is_listed(root: Path, stray: str) -> None:
    write(root, "ann/lesson.ipynb", "bob/lesson.ipynb")
    write(root, stray, content=SUBMITTED if stray == "lesson.ipynb" else OTHER)
    discovered = find(root)
    assert relative(root, discovered) == ["ann", "bob"]
    assert [Path(unmapped.path).name for unmapped in discovered.unmapped] == [stray]


def test_several_candidates_of_one_student_are_listed(root: Path) -> None:
    write(root, "ann/first/lesson/lesson.ipynb", "ann/second/lesson/lesson.ipynb", "bob/lesson/lesson.ipynb")
    discovered = find(root)
    assert relative(root, discovered) == ["bob/lesson"]
    assert "first/lesson, second/lesson" in str(discovered.unmapped[0])


def test_missing_path_and_folder_without_notebooks_are_kept_for_the_reader_to_report(root: Path) -> None:
    (root / "empty").mkdir(parents=True)
    discovered = find(root, "none.ipynb", "empty")
    assert relative(root, discovered) == ["none.ipynb", "empty"] and discovered.unmapped == []


def test_paths_named_twice_are_graded_once(root: Path) -> None:
    write(root, "ann/lesson/lesson.ipynb")
    assert relative(root, find(root, "ann", "ann/lesson", "")) == ["ann/lesson"]


def test_links_are_listed_and_not_followed(root: Path) -> None:
    write(root, "ann/lesson.ipynb", "bob/lesson.ipynb")
    write(root.parent, "elsewhere/lesson.ipynb", "elsewhere/lesson/lesson.ipynb")
    (root / "cid").symlink_to(root.parent / "elsewhere")
    (root / "dan.ipynb").symlink_to(root.parent / "elsewhere" / "lesson.ipynb")
    (root / "eve").mkdir()
    (root / "eve" / "lesson").symlink_to(root.parent / "elsewhere" / "lesson")
    (root / "loop").symlink_to(".")
    discovered = find(root)
    assert relative(root, discovered) == ["ann", "bob"]
    assert [Path(unmapped.path).name for unmapped in discovered.unmapped] == ["cid", "dan.ipynb", "loop", "lesson"]
    assert all("it is a link" in str(unmapped) for unmapped in discovered.unmapped)


def test_notebook_that_is_a_link_makes_no_submission(root: Path) -> None:
    write(root, "ann/lesson.ipynb", "bob/lesson.ipynb")
    (root / "cid").mkdir()
    (root / "cid" / "lesson.ipynb").symlink_to(root / "ann" / "lesson.ipynb")
    discovered = find(root)
    assert relative(root, discovered) == ["ann", "bob"]
    assert [Path(unmapped.path).name for unmapped in discovered.unmapped] == ["cid"]


def test_link_on_the_command_line_is_followed(root: Path) -> None:
    write(root, "ann/lesson.ipynb", "bob/lesson.ipynb")
    (root.parent / "link").symlink_to(root)
    discovered = find(root, "../link")
    assert [Path(path).name for path in discovered.paths] == ["ann", "bob"]
    assert set(discovered.roots.values()) == {str(root / "../link")}


def test_notebook_that_cannot_be_read_within_limits_has_no_cells_of_the_lesson(root: Path) -> None:
    write(root, "ann.ipynb", "bob.ipynb")
    release = replace(build_lesson(), lesson="lesson")

    def read_some(path: str, folder: str) -> frozenset[str]:
        return frozenset() if path.endswith("ann.ipynb") else read_grade_ids(path, folder)

    assert find_submissions([str(root)], release, str(root), read_some).paths == [str(root)]
