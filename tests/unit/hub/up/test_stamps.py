"""Stamps: contents count, times and order do not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pmh_jupyter.hub.up.stamps import content_hash, is_current, write_stamp


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.ts").write_text("a")
    (folder / "inner" / "b.ts").write_text("b")
    return folder


def test_touching_a_file_changes_nothing(sources: Path) -> None:
    before = content_hash([sources])
    os.utime(sources / "a.ts", (0, 0))
    assert content_hash([sources]) == before


def test_it_is_the_same_wherever_the_folder_lies(sources: Path, tmp_path: Path) -> None:
    before = content_hash([sources])
    moved = tmp_path / "elsewhere" / "src"
    moved.parent.mkdir()
    sources.rename(moved)
    assert content_hash([moved]) == before


@pytest.mark.parametrize("name", ["__pycache__", "node_modules"])
def test_what_tools_leave_behind_does_not_count(sources: Path, name: str) -> None:
    before = content_hash([sources])
    (sources / name).mkdir()
    (sources / name / "x").write_text("x")
    assert content_hash([sources]) == before


def test_each_change_changes_it(sources: Path) -> None:
    seen = {content_hash([sources])}
    (sources / "a.ts").write_text("A")
    seen.add(content_hash([sources]))
    (sources / "a.ts").rename(sources / "c.ts")
    seen.add(content_hash([sources]))
    (sources / "c.ts").unlink()
    seen.add(content_hash([sources]))
    seen.add(content_hash([sources], "3.12"))
    seen.add(content_hash([sources, sources / "inner" / "b.ts"]))
    assert len(seen) == 6


def test_a_missing_path_is_hashed_as_absent(tmp_path: Path) -> None:
    there = tmp_path / "package.json"
    before = content_hash([there])
    there.write_text("{}")
    assert content_hash([there]) != before


def test_a_stamp_is_current_for_its_value_alone(tmp_path: Path) -> None:
    stamp = tmp_path / "stamps" / "panel"
    assert not is_current(stamp, "1")
    write_stamp(stamp, "1")
    assert is_current(stamp, "1")
    assert not is_current(stamp, "2")


def test_a_damaged_stamp_is_not_current(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    stamp.write_bytes(b"\xff\xfe")
    assert not is_current(stamp, "1")
