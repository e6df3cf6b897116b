"""Changes of the files in a shared folder: found on one side, checked and applied on the other."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.files import folder_changes
from pmh_jupyter.grading.runtime.files.folder_changes import (
    DELETED,
    FILE,
    FOLDER,
    MAX_INLINE_BYTES,
    MAX_PATH_DEPTH,
    PART_BYTES,
    FileChange,
    SharedFolders,
    decode_change,
)
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError

HOUR_NS = 3600 * 10**9


class Side:
    """One of two processes, with its own copy of the folder `work`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.root.mkdir()
        self.folders = SharedFolders({"work": str(root)})

    def list_changes(self) -> list[tuple[bytes, str, bytes | None]]:
        return [(change.path, change.kind, change.data) for change in self.folders.pop_changes()]

    def send_to(self, other: Side) -> None:
        for change in self.folders.pop_changes():
            other.folders.apply(change)


@pytest.fixture
def here(tmp_path: Path) -> Side:
    return Side(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path) -> Side:
    return Side(tmp_path / "there")


def test_new_files_and_folders_are_found_once(here: Side) -> None:
    (here.root / "data").mkdir()
    (here.root / "data" / "a.txt").write_text("one")
    assert here.list_changes() == [(b"data", FOLDER, None), (b"data/a.txt", FILE, b"one")]
    assert here.list_changes() == []


def test_content_that_changes_within_one_tick_of_the_clock_is_found(here: Side) -> None:
    path = here.root / "a.txt"
    path.write_text("one")
    here.list_changes()
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_text("two")
    os.utime(path, ns=times)
    assert here.list_changes() == [(b"a.txt", FILE, b"two")]


def test_changed_mode_of_an_old_file_is_found(here: Side) -> None:
    path = here.root / "a.txt"
    path.write_text("one")
    os.utime(path, ns=(HOUR_NS, HOUR_NS))
    here.list_changes()
    path.chmod(0o600)
    (change,) = here.folders.pop_changes()
    assert (change.path, change.mode, change.mtime_ns) == (b"a.txt", 0o600, HOUR_NS)


def test_links_and_pipes_are_not_files(here: Side, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (here.root / "link").symlink_to(tmp_path / "secret")
    (here.root / "folder").symlink_to(tmp_path)
    os.mkfifo(here.root / "pipe")
    assert here.list_changes() == []
    assert here.folders.read_part(("work", b"link"), 0, 6) == b""


def test_changes_make_the_other_side_equal_and_are_not_sent_back(here: Side, there: Side) -> None:
    (here.root / "data").mkdir()
    (here.root / "data" / "a.txt").write_text("one")
    (here.root / "b.txt").write_text("two")
    here.send_to(there)
    assert (there.root / "data" / "a.txt").read_text() == "one"
    assert there.list_changes() == []
    (here.root / "data" / "a.txt").unlink()
    (here.root / "data").rmdir()
    here.send_to(there)
    assert [path.name for path in there.root.iterdir()] == ["b.txt"]


def test_file_is_written_in_place(here: Side, there: Side) -> None:
    (here.root / "a.txt").write_text("one")
    here.send_to(there)
    with (there.root / "a.txt").open() as opened:
        (here.root / "a.txt").write_text("two and more")
        here.send_to(there)
        assert opened.read() == "two and more"


def test_large_file_is_created_and_then_written_in_parts(here: Side, there: Side) -> None:
    content = os.urandom(PART_BYTES + 5)
    (here.root / "large").write_bytes(content)
    (change,) = here.folders.pop_changes()
    assert (change.size, change.data) == (len(content), None)
    there.folders.apply(change)
    for offset in (0, PART_BYTES):
        there.folders.write_part(change, offset, here.folders.read_part(change.key, offset, change.size))
    assert (there.root / "large").read_bytes() == content
    assert there.list_changes() == []


def test_change_never_leaves_the_folder_through_a_link(there: Side, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (there.root / "link").symlink_to(tmp_path / "outside")
    there.folders.apply(FileChange("work", b"link/a.txt", FILE, 1, data=b"x", mode=0o600))
    assert list((tmp_path / "outside").iterdir()) == []


def test_change_in_a_folder_that_no_longer_exists_is_ignored(there: Side) -> None:
    there.folders.apply(FileChange("work", b"gone/a.txt", FILE, 1, data=b"x"))
    there.folders.apply(FileChange("work", b"gone.txt", DELETED))
    assert list(there.root.iterdir()) == []


def test_side_that_was_replaced_gets_what_it_does_not_have(here: Side, there: Side) -> None:
    (here.root / "same.txt").write_text("same")
    (there.root / "same.txt").write_text("same")
    (here.root / "new.txt").write_text("new")
    (there.root / "old.txt").write_text("old")
    changes = here.folders.pop_changes(there.folders.compute_file_digests())
    assert [(change.path, change.kind) for change in changes] == [(b"old.txt", DELETED), (b"new.txt", FILE)]


def test_forgotten_files_are_sent_again(here: Side) -> None:
    (here.root / "a.txt").write_text("one")
    (here.root / "b.txt").write_text("two")
    here.list_changes()
    here.folders.forget_all_except({("work", b"a.txt")})
    assert here.list_changes() == [(b"b.txt", FILE, b"two")]


@pytest.mark.parametrize("limit", ["MAX_FILES", "MAX_TOTAL_BYTES"])
def test_too_many_files_are_refused(here: Side, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(folder_changes, limit, 2)
    for name in "abc":
        (here.root / name).write_text("x")
    with pytest.raises(OSError, match="more than"):
        here.folders.pop_changes()


VALID = FileChange("work", b"data/a.txt", FILE, 3, 1, 0o644, b"abc")


def decode(value: Any) -> FileChange:
    return decode_change(value, {"work": b"/work"}, max_bytes=1000)


def test_valid_change_is_decoded_without_special_permission_bits() -> None:
    assert decode(tuple(VALID)) == VALID
    assert decode(tuple(VALID._replace(mode=0o4755))).mode == 0o755


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda change: list(change), id="list"),
        pytest.param(lambda change: change[:-1], id="too short"),
        pytest.param(lambda change: tuple(change._replace(folder_name="home")), id="unknown folder"),
        pytest.param(lambda change: tuple(change._replace(kind="link")), id="unknown kind"),
        pytest.param(lambda change: tuple(change._replace(path="a.txt")), id="path as text"),
        pytest.param(lambda change: tuple(change._replace(path=b"../a")), id="parent"),
        pytest.param(lambda change: tuple(change._replace(path=b"/etc/passwd")), id="absolute"),
        pytest.param(lambda change: tuple(change._replace(path=b"")), id="empty"),
        pytest.param(lambda change: tuple(change._replace(path=b"a\0b")), id="null byte"),
        pytest.param(lambda change: tuple(change._replace(path=b"a" * 256)), id="long name"),
        pytest.param(lambda change: tuple(change._replace(path=b"/".join([b"a"] * (MAX_PATH_DEPTH + 1)))), id="deep"),
        pytest.param(lambda change: tuple(change._replace(size=1001)), id="too large"),
        pytest.param(lambda change: tuple(change._replace(size=-1)), id="negative size"),
        pytest.param(lambda change: tuple(change._replace(size=True)), id="size as bool"),
        pytest.param(lambda change: tuple(change._replace(mtime_ns=1 << 63)), id="time after the last one"),
        pytest.param(lambda change: tuple(change._replace(data=b"x" * (MAX_INLINE_BYTES + 1))), id="too much content"),
        pytest.param(lambda change: tuple(change._replace(data="abc")), id="content as text"),
    ],
)
def test_malformed_change_is_refused(spoil: Callable[[FileChange], object]) -> None:
    with pytest.raises(WireFormatError):
        decode(spoil(VALID))
