"""Atomic file writes and file locks."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pmh_jupyter import filesystem
from pmh_jupyter.filesystem import FileLock, LockHeld, create_folder, write_atomically
from tests.support.write_steps import record_write_steps

HOLD_LOCK = """
import sys, time
from pathlib import Path
from pmh_jupyter.filesystem import FileLock
FileLock(Path(sys.argv[1])).acquire("the other process")
print("held", flush=True)
time.sleep(60)
"""


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_is_written_with_the_given_permissions(tmp_path: Path) -> None:
    write_atomically(tmp_path / "secret", b"new")
    write_atomically(tmp_path / "public", b"", mode=0o644)
    assert (tmp_path / "secret").read_bytes() == b"new"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "public").stat().st_mode & 0o777 == 0o644


def test_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "notebook.ipynb"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_atomically(path, b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)


def test_file_is_synced_before_the_rename_and_its_folder_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = record_write_steps(monkeypatch)
    write_atomically(tmp_path / "file", b"content")
    assert steps == ["fsync file", "rename", "fsync folder"]


def test_failed_write_leaves_the_old_content_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def raise_disk_full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", raise_disk_full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert (path.read_bytes(), names_in(tmp_path)) == (b"old", ["file"])


def test_without_overwrite_an_existing_file_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_atomically(path, b"first", overwrite=False)
    with pytest.raises(FileExistsError):
        write_atomically(path, b"second", overwrite=False)
    assert (path.read_bytes(), names_in(tmp_path)) == (b"first", ["key"])


def test_without_overwrite_exactly_one_of_many_concurrent_writers_succeeds(tmp_path: Path) -> None:
    path = tmp_path / "key"
    written: list[bytes] = []
    barrier = threading.Barrier(8)

    def write(content: bytes) -> None:
        barrier.wait()
        try:
            write_atomically(path, content, overwrite=False)
        except FileExistsError:
            return
        written.append(content)

    threads = [threading.Thread(target=write, args=(bytes([number]) * 1000,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes()] == written
    assert names_in(tmp_path) == ["key"]


def test_folder_and_its_parents_are_created_and_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(filesystem, "sync_folder", synced.append)
    create_folder(tmp_path / "a" / "b", mode=0o700)
    create_folder(tmp_path / "a" / "b", mode=0o700)
    assert synced == [tmp_path, tmp_path / "a"]
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_lock_is_exclusive_and_names_its_holder(tmp_path: Path) -> None:
    lock, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    lock.acquire("the first process, which has a long name")
    lock.acquire("again")
    with pytest.raises(LockHeld) as failure:
        other.acquire("second")
    assert failure.value.holder == other.find_holder() == "the first process, which has a long name"
    assert (lock.is_held, other.is_held) == (True, False)


def test_released_lock_can_be_acquired_again_and_has_no_holder(tmp_path: Path) -> None:
    lock, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    lock.acquire("first")
    lock.release()
    lock.release()
    assert other.find_holder() is None
    other.acquire("second")
    assert lock.find_holder() == "second"


def test_looking_for_a_holder_creates_no_file(tmp_path: Path) -> None:
    assert FileLock(tmp_path / "lock").find_holder() is None
    assert names_in(tmp_path) == []


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    command = [sys.executable, "-c", HOLD_LOCK, str(lock.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            with pytest.raises(LockHeld, match="the other process"):
                lock.acquire("this process")
        finally:
            process.kill()
    lock.acquire("this process")
    assert lock.is_held


def test_lock_in_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileLock(tmp_path / "missing" / "lock").acquire("this process")
