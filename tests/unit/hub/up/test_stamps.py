"""Stamps depend on contents, not on times or order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pmh_jupyter.hub.up.stamps import compute_fingerprint, is_current, write_stamp


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.ts").write_text("a")
    (folder / "inner" / "b.ts").write_text("b")
    return folder


def test_modification_time_does_not_change_the_hash(sources: Path) -> None:
    before = compute_fingerprint([sources])
    os.utime(sources / "a.ts", (0, 0))
    assert compute_fingerprint([sources]) == before


def test_location_of_the_folder_does_not_change_the_hash(sources: Path, tmp_path: Path) -> None:
    before = compute_fingerprint([sources])
    moved = tmp_path / "elsewhere" / "src"
    moved.parent.mkdir()
    sources.rename(moved)
    assert compute_fingerprint([moved]) == before


@pytest.mark.parametrize("name", ["__pycache__", "node_modules"])
def test_caches_do_not_change_the_hash(sources: Path, name: str) -> None:
    before = compute_fingerprint([sources])
    (sources / name).mkdir()
    (sources / name / "x").write_text("x")
    assert compute_fingerprint([sources]) == before


def test_every_kind_of_change_changes_the_hash(sources: Path) -> None:
    hashes = {compute_fingerprint([sources])}
    (sources / "a.ts").write_text("A")
    hashes.add(compute_fingerprint([sources]))
    (sources / "a.ts").rename(sources / "c.ts")
    hashes.add(compute_fingerprint([sources]))
    (sources / "c.ts").unlink()
    hashes.add(compute_fingerprint([sources]))
    hashes.add(compute_fingerprint([sources], "3.12"))
    hashes.add(compute_fingerprint([sources, sources / "inner" / "b.ts"]))
    assert len(hashes) == 6


def test_created_file_changes_the_hash(tmp_path: Path) -> None:
    created_file = tmp_path / "package.json"
    before = compute_fingerprint([created_file])
    created_file.write_text("{}")
    assert compute_fingerprint([created_file]) != before


def test_stamp_is_current_for_its_fingerprint_only(tmp_path: Path) -> None:
    stamp = tmp_path / "stamps" / "panel"
    assert not is_current(stamp, "1")
    write_stamp(stamp, "1")
    assert is_current(stamp, "1")
    assert not is_current(stamp, "2")


def test_damaged_stamp_is_not_current(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    stamp.write_bytes(b"\xff\xfe")
    assert not is_current(stamp, "1")
