"""Which relative paths are accepted from outside."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.paths import is_safe_path, require_safe_path
from pmh_jupyter.errors import BadInput


@pytest.mark.parametrize("path", ["a.ipynb", "data/table.csv", "a b/ü.txt", ".hidden", "...", "a..b/c"])
def test_path_below_the_folder_is_accepted(path: str) -> None:
    assert is_safe_path(path)
    assert require_safe_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "../x", "a/../b", "a/..", "/etc/passwd", "a//b", "a/", "./a", "a\\b", "a\nb", "a\x00", "\u202ea"],
)
def test_path_that_leaves_the_folder_or_is_not_portable_is_rejected(path: str) -> None:
    assert not is_safe_path(path)
    with pytest.raises(BadInput, match="not a path within the folder"):
        require_safe_path(path)
