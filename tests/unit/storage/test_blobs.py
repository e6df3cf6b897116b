"""Bytes by their hash: durable before the row, whole or not at all, and nothing left of what failed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.hashing import sha256_hex
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.storage.blobs import BlobStore, DatabaseBlobStore, FileBlobStore
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import submissions
from pmh_jupyter.storage.tables.courses import BlobRow
from pmh_jupyter.storage.tables.submissions import SubmissionRow
from tests.support.storage.school import FIRST, School, again, sign


@pytest.fixture(params=["file", "database"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return FileBlobStore(tmp_path / "blobs") if request.param == "file" else DatabaseBlobStore()


def keep(blobs: BlobStore, database: Database, contents: list[bytes]) -> None:
    blobs.stage("submission", contents)
    with database.write() as session:
        blobs.store(session, "submission", contents)


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_is_kept_comes_back(blobs: BlobStore, database: Database) -> None:
    contents = [b"", b"one", b"\0\xff" * 1000, b"one"]
    keep(blobs, database, contents)
    keep(blobs, database, contents)
    with database.read() as session:
        assert blobs.read(session, "submission", map(sha256_hex, contents)) == {
            sha256_hex(one): one for one in contents
        }
        assert blobs.read(session, "submission", []) == {}


def test_namespaces_never_mix(blobs: BlobStore, database: Database) -> None:
    keep(blobs, database, [b"mine"])
    with database.read() as session, pytest.raises(Unavailable, match="missing"):
        blobs.read(session, "sealed", [sha256_hex(b"mine")])


def test_damage_is_found(database: Database, tmp_path: Path) -> None:
    blobs = FileBlobStore(tmp_path / "blobs")
    keep(blobs, database, [b"whole"])
    [path] = files_in(blobs.folder)
    path.write_bytes(b"wh")
    with database.read() as session, pytest.raises(Unavailable, match="damaged"):
        blobs.read(session, "submission", [sha256_hex(b"whole")])
    keep(blobs, database, [b"whole"])  # a file that was cut short is written again
    assert path.read_bytes() == b"whole"


def test_files_are_for_the_service_alone(database: Database, tmp_path: Path) -> None:
    blobs = FileBlobStore(tmp_path / "deep" / "blobs")
    keep(blobs, database, [b"secret"])
    [path] = files_in(blobs.folder)
    assert [one.stat().st_mode & 0o077 for one in (path, path.parent, blobs.folder)] == [0, 0, 0]


def test_postgresql_keeps_blobs_itself_unless_told(school: School, tmp_path: Path) -> None:
    with school.database.read() as session:
        kept = session.scalar(select(func.count()).select_from(BlobRow))
    assert bool(kept) is (school.database.sqlite_path is None)
    url = school.database.url.render_as_string(hide_password=False)
    with Database(url, blob_folder=tmp_path / "elsewhere") as told:
        assert isinstance(told.blobs, FileBlobStore)


def test_order_of_a_durable_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary file, fsync, rename, fsync of the folder."""
    done: list[str] = []
    rename, fsync = Path.rename, os.fsync

    def seen_fsync(handle: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        fsync(handle)

    def seen_rename(self: Path, target: Path) -> Path:
        done.append("rename")
        return rename(self, target)

    blobs = FileBlobStore(tmp_path)
    blobs.stage("submission", [b"first"])
    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "rename", seen_rename)
    (tmp_path / "submission" / sha256_hex(b"second")[:2]).mkdir(exist_ok=True)
    blobs.stage("submission", [b"second"])
    assert done == ["file", "rename", "folder"]


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that takes 64 KiB: a real small file system where we may mount one, else one whose fsync says that it is full."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0:
        yield folder
        subprocess.run(["umount", str(folder)], check=True)
        return
    fsync = os.fsync

    def full(handle: int) -> None:
        if os.fstat(handle).st_size > 64 << 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    yield folder


def test_a_full_disk_leaves_neither_row_nor_file(school: School, small_disk: Path) -> None:
    person = school.member()
    school.database.blobs = FileBlobStore(small_disk / "blobs")
    fits, too_much = File("lesson.ipynb", b"fits"), File("data.bin", os.urandom(200 << 10))
    new = again(school.new(person, SubmissionKind.FINAL), files=(fits, too_much))
    for _ in range(3):
        with pytest.raises(Unavailable, match="disk is full"):
            submissions.receive_submission(school.database, new, sign)
    assert [path.name for path in files_in(small_disk)] == [sha256_hex(b"fits")]
    with school.database.read() as session:
        assert session.scalar(select(func.count()).select_from(SubmissionRow)) == 0
    assert submissions.list_submissions(school.database, person.id, "room") == ()


def test_killed_between_blob_and_row(school: School, url: str) -> None:
    """The blob stays without a row; the same work sent again is whole, and there once."""
    person = school.member()
    new = school.new(person, SubmissionKind.FINAL)
    script = (
        "import os, signal, sys\n"
        "from uuid import UUID\n"
        "from pmh_jupyter.storage.database import Database\n"
        "from pmh_jupyter.storage.records import work\n"
        "from pmh_jupyter.domain.submission import NewWork, Kind\n"
        "from pmh_jupyter.domain.course import File\n"
        "url, id, person, release = sys.argv[1:]\n"
        "files = (File('lesson.ipynb', b'{\"cells\": []}'), File('extra.txt', b'more'))\n"
        "new = NewWork(UUID(id), Kind.SUBMISSION, UUID(person), 'room', 'first', release, files)\n"
        "work.receive(Database(url), new, lambda fields: os.kill(os.getpid(), signal.SIGKILL))\n"
    )
    command = [sys.executable, "-c", script, url, str(new.id), str(person.id), FIRST.id]
    assert subprocess.run(command).returncode == -9
    assert submissions.list_submissions(school.database, person.id, "room") == ()
    if isinstance(school.database.blobs, FileBlobStore):
        assert len(files_in(school.database.blobs.folder / "submission")) == 2
    received = submissions.receive_submission(school.database, new, sign)
    assert [one.id for one in submissions.list_submissions(school.database, person.id, "room")] == [received.id]
    with school.database.read() as session:
        digests = [sha256_hex(file.content) for file in new.files]
        assert set(school.database.blobs.read(session, "submission", digests)) == set(digests)
