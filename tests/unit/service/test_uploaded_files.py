"""Files as they travel: nothing leaves the folder, nothing arrives damaged."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.errors import BadInput, TooLarge
from pmh_jupyter.service import uploaded_files
from pmh_jupyter.service.uploaded_files import decode_files
from pmh_jupyter.wire.base import FileContent
from tests.support.tiny_course import content


def a_file(path: str, **more: Any) -> FileContent:
    return FileContent.model_validate(content(path, b"data") | more)


@pytest.mark.parametrize("path", ["a.ipynb", "data/table.csv", "a b/ü.txt", ".hidden", "..."])
def test_a_path_within_the_folder_is_kept(path: str) -> None:
    (file,) = decode_files([a_file(path)])
    assert (file.path, file.content) == (path, b"data")


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "../x", "a/../b", "a/..", "/etc/passwd", "a//b", "a/", "./a", "a\\b", "a\nb", "a\x00", "\u202ea"],
)
def test_any_other_path_is_refused(path: str) -> None:
    with pytest.raises(BadInput, match="not a path within"):
        decode_files([a_file(path)])


def test_damage_doubles_and_crowds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="damaged"):
        decode_files([a_file("a", sha256="0" * 64)])
    for text in ("§", "=", "YQ", "Y Q=="):
        with pytest.raises(BadInput, match="not base64"):
            decode_files([a_file("a", content=text)])
    with pytest.raises(BadInput, match="twice"):
        decode_files([a_file("a"), a_file("a")])
    monkeypatch.setattr(uploaded_files, "FILES", 1)
    with pytest.raises(TooLarge):
        decode_files([a_file("a"), a_file("b")])
