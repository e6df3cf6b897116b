"""Uploaded files are decoded only if their paths stay inside the folder and their content is intact."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.errors import BadInput, TooLarge
from pmh_jupyter.service import uploaded_files
from pmh_jupyter.service.uploaded_files import decode_files
from pmh_jupyter.wire.base import FileContent
from tests.support.tiny_course import content


def make_file(path: str, **changes: Any) -> FileContent:
    return FileContent.model_validate(content(path, b"data") | changes)


@pytest.mark.parametrize("path", ["a.ipynb", "data/table.csv", "a b/ü.txt", ".hidden", "..."])
def test_path_inside_the_folder_is_accepted(path: str) -> None:
    (file,) = decode_files([make_file(path)])
    assert (file.path, file.content) == (path, b"data")


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "../x", "a/../b", "a/..", "/etc/passwd", "a//b", "a/", "./a", "a\\b", "a\nb", "a\x00", "\u202ea"],
)
def test_every_other_path_is_rejected(path: str) -> None:
    with pytest.raises(BadInput, match="not a path within"):
        decode_files([make_file(path)])


def test_content_that_does_not_match_its_hash_is_rejected() -> None:
    with pytest.raises(BadInput, match="damaged"):
        decode_files([make_file("a", sha256="0" * 64)])


@pytest.mark.parametrize("text", ["§", "=", "YQ", "Y Q=="])
def test_invalid_base64_is_rejected(text: str) -> None:
    with pytest.raises(BadInput, match="not base64"):
        decode_files([make_file("a", content=text)])


def test_duplicate_path_is_rejected() -> None:
    with pytest.raises(BadInput, match="twice"):
        decode_files([make_file("a"), make_file("a")])


def test_too_many_files_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploaded_files, "MAX_FILES", 1)
    with pytest.raises(TooLarge):
        decode_files([make_file("a"), make_file("b")])
