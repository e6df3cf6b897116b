"""Blobs: durable before their row, complete or absent, and nothing left of a failed write."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.hashing import compute_sha256_hex
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.storage.blobs import BlobStore, DatabaseBlobStore, FileBlobStore
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import submissions
from pmh_jupyter.storage.tables.courses import BlobRow
from pmh_jupyter.storage.tables.submissions import SubmissionRow
from tests.support.storage.school import CLASSROOM, FIRST, School, sign
from tests.support.write_steps import record_write_steps


@pytest.fixture(params=["file", "database"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return FileBlobStore(tmp_path / "blobs") if request.param == "file" else DatabaseBlobStore()


def store(blobs: BlobStore, database: Database, contents: list[bytes]) -> None:
    files = [File("any", content) for content in contents]
    blobs.stage("submission", files)
    with database.begin_write() as session:
        blobs.store(session, "submission", files)


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_stored_contents_are_read_back(blobs: BlobStore, database: Database) -> None:
    contents = [b"", b"one", b"\0\xff" * 1000, b"one"]
    store(blobs, database, contents)
    store(blobs, database, contents)
    with database.begin_read() as session:
        assert blobs.read(session, "submission", map(compute_sha256_hex, contents)) == {
            compute_sha256_hex(content): content for content in contents
        }
        assert blobs.read(session, "submission", []) == {}


def test_blob_of_another_namespace_is_missing(blobs: BlobStore, database: Database) -> None:
    store(blobs, database, [b"mine"])
    with database.begin_read() as session, pytest.raises(Unavailable, match="missing"):
        blobs.read(session, "sealed", [compute_sha256_hex(b"mine")])


def test_damaged_blob_is_reported_and_can_be_stored_again(database: Database, tmp_path: Path) -> None:
    blobs = FileBlobStore(tmp_path / "blobs")
    store(blobs, database, [b"whole"])
    [path] = files_in(blobs.folder)
    path.write_bytes(b"wh")
    with database.begin_read() as session, pytest.raises(Unavailable, match="damaged"):
        blobs.read(session, "submission", [compute_sha256_hex(b"whole")])
    store(blobs, database, [b"whole"])  # a file that was cut short is written again
    assert path.read_bytes() == b"whole"


def test_files_and_folders_are_accessible_to_the_service_only(database: Database, tmp_path: Path) -> None:
    blobs = FileBlobStore(tmp_path / "deep" / "blobs")
    store(blobs, database, [b"secret"])
    [path] = files_in(blobs.folder)
    assert [entry.stat().st_mode & 0o077 for entry in (path, path.parent, blobs.folder)] == [0, 0, 0]


def test_blobs_are_rows_in_postgresql_and_files_beside_sqlite(school: School, tmp_path: Path) -> None:
    with school.database.begin_read() as session:
        row_count = session.scalar(select(func.count()).select_from(BlobRow))
    assert bool(row_count) is (school.database.sqlite_path is None)
    assert bool(files_in(tmp_path / "blobs")) is (school.database.sqlite_path is not None)


def test_blob_file_is_synced_before_the_rename_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = FileBlobStore(tmp_path)
    blobs.stage("submission", [File("any", b"first")])
    (tmp_path / "submission" / compute_sha256_hex(b"second")[:2]).mkdir(exist_ok=True)
    steps = record_write_steps(monkeypatch)
    blobs.stage("submission", [File("any", b"second")])
    assert steps == ["fsync file", "rename", "fsync folder"]


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that holds 64 KiB: a small file system if the test may mount one, otherwise a folder where fsync fails."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0:
        yield folder
        subprocess.run(["umount", str(folder)], check=True)
        return
    fsync = os.fsync

    def raise_disk_full(handle: int) -> None:
        if os.fstat(handle).st_size > 64 << 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", raise_disk_full)
    yield folder


def test_full_disk_leaves_neither_row_nor_partial_file(school: School, small_disk: Path) -> None:
    person = school.add_member()
    school.database.blobs = FileBlobStore(small_disk / "blobs")
    fits, too_large = File("lesson.ipynb", b"fits"), File("data.bin", os.urandom(200 << 10))
    new_submission = replace(school.new_submission(person, SubmissionKind.FINAL), files=(fits, too_large))
    for _ in range(3):
        with pytest.raises(Unavailable, match="disk is full"):
            submissions.receive_submission(school.database, new_submission, sign)
    assert [path.name for path in files_in(small_disk)] == [compute_sha256_hex(b"fits")]
    with school.database.begin_read() as session:
        assert session.scalar(select(func.count()).select_from(SubmissionRow)) == 0
    assert submissions.list_submissions(school.database, person.id, CLASSROOM) == ()


def test_submission_is_complete_after_a_kill_between_blob_and_row(school: School, url: str) -> None:
    """The blobs stay without rows, and sending the submission again uses them."""
    person = school.add_member()
    new_submission = school.new_submission(person, SubmissionKind.FINAL)
    script = (
        "import os, signal, sys\n"
        "from uuid import UUID\n"
        "from pmh_jupyter.storage.database import Database\n"
        "from pmh_jupyter.storage.records import submissions\n"
        "from pmh_jupyter.domain.submission import NewSubmission, SubmissionKind\n"
        "from pmh_jupyter.domain.course import File\n"
        "url, id, person, classroom, release = sys.argv[1:]\n"
        "files = (File('lesson.ipynb', b'{\"cells\": []}'), File('extra.txt', b'more'))\n"
        "new_submission = NewSubmission(UUID(id), SubmissionKind.FINAL, UUID(person), classroom, 'first', release, files)\n"
        "submissions.receive_submission(Database(url), new_submission, lambda fields: os.kill(os.getpid(), signal.SIGKILL))\n"
    )
    command = [sys.executable, "-c", script, url, str(new_submission.id), str(person.id), CLASSROOM, FIRST.id]
    assert subprocess.run(command).returncode == -9
    assert submissions.list_submissions(school.database, person.id, CLASSROOM) == ()
    if isinstance(school.database.blobs, FileBlobStore):
        assert len(files_in(school.database.blobs.folder / "submission")) == 2
    received = submissions.receive_submission(school.database, new_submission, sign)
    assert [submission.id for submission in submissions.list_submissions(school.database, person.id, CLASSROOM)] == [
        received.id
    ]
    with school.database.begin_read() as session:
        digests = [compute_sha256_hex(file.content) for file in new_submission.files]
        assert set(school.database.blobs.read(session, "submission", digests)) == set(digests)
