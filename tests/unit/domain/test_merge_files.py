"""Three-way merge of data files."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.merge_files import FileMergeResult, choose_copy_name, merge_file


@pytest.mark.parametrize(
    ("base", "student", "release", "merged"),
    [
        pytest.param(b"1", b"1", b"2", FileMergeResult(b"2"), id="changed by the release"),
        pytest.param(b"1", b"2", b"1", FileMergeResult(b"2"), id="changed by the student"),
        pytest.param(b"1", b"2", b"3", FileMergeResult(b"2", b"3"), id="changed by both"),
        pytest.param(b"1", b"2", b"2", FileMergeResult(b"2"), id="changed by both in the same way"),
        pytest.param(b"1", b"1", None, FileMergeResult(None), id="removed by the release"),
        pytest.param(b"1", b"2", None, FileMergeResult(b"2"), id="changed by the student, removed by the release"),
        pytest.param(b"1", None, b"1", FileMergeResult(b"1"), id="deleted by the student"),
        pytest.param(b"1", None, None, FileMergeResult(None), id="deleted by both"),
        pytest.param(None, None, b"1", FileMergeResult(b"1"), id="added by the release"),
        pytest.param(None, b"1", b"1", FileMergeResult(b"1"), id="added by both, equal"),
        pytest.param(None, b"2", b"1", FileMergeResult(b"2", b"1"), id="added by both, different"),
        pytest.param(None, b"2", None, FileMergeResult(b"2"), id="added by the student"),
    ],
)
def test_file_changed_by_the_student_is_kept(
    base: bytes | None, student: bytes | None, release: bytes | None, merged: FileMergeResult
) -> None:
    assert merge_file(base, student, release) == merged


@pytest.mark.parametrize(
    ("path", "taken", "name"),
    [
        ("data.csv", [], "data.new.csv"),
        ("a.b/data.csv", ["a.b/data.new.csv"], "a.b/data.new-2.csv"),
        ("data/LICENSE", ["data/LICENSE.new", "data/LICENSE.new-2"], "data/LICENSE.new-3"),
        (".hidden", [], ".hidden.new"),
        ("x.tar.gz", [], "x.tar.new.gz"),
    ],
)
def test_copy_gets_an_unused_name(path: str, taken: list[str], name: str) -> None:
    assert choose_copy_name(path, taken) == name
