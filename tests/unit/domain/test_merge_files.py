"""Three-way merge of data files."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.merge_files import FileMergeResult, choose_copy_name, merge_file


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged"),
    [
        (b"1", b"1", b"2", FileMergeResult(b"2")),
        (b"1", b"2", b"1", FileMergeResult(b"2")),
        (b"1", b"2", b"3", FileMergeResult(b"2", b"3")),
        (b"1", b"2", b"2", FileMergeResult(b"2")),
        (b"1", b"1", None, FileMergeResult(None)),
        (b"1", b"2", None, FileMergeResult(b"2")),
        (b"1", None, b"1", FileMergeResult(b"1")),
        (b"1", None, None, FileMergeResult(None)),
        (None, None, b"1", FileMergeResult(b"1")),
        (None, b"1", b"1", FileMergeResult(b"1")),
        (None, b"2", b"1", FileMergeResult(b"2", b"1")),
        (None, b"2", None, FileMergeResult(b"2")),
    ],
)
def test_file_changed_by_the_student_is_kept(
    base: bytes | None, mine: bytes | None, theirs: bytes | None, merged: FileMergeResult
) -> None:
    assert merge_file(base, mine, theirs) == merged


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
