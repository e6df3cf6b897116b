"""Stores bytes by their SHA-256, in namespaces that never mix: students' files of releases, sealed files, submitted files.

A blob is durable before the row that refers to it, so every row has its file. If the process is killed in between, a blob without a row
remains; it is reused when the same content is stored again. If the disk is full, Unavailable is raised and neither is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.hashing import compute_sha256_hex
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.filesystem import create_folder, sync_folder, write_atomically
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.tables.courses import BlobRow

BlobNamespace = Literal["student", "sealed", "submission"]


class BlobStore(Protocol):
    """Stores blobs. Call `stage` before the transaction, `store` in the same transaction, `read` in any transaction."""

    def stage(self, namespace: BlobNamespace, files: Iterable[File]) -> None:
        """Make the contents of the files durable, if they are stored outside the database. Raises Unavailable if the disk is full."""

    def store(self, session: Session, namespace: BlobNamespace, files: Iterable[File]) -> None:
        """Add the contents of the files to the transaction, if they are stored in the database."""

    def read(self, session: Session, namespace: BlobNamespace, digests: Iterable[str]) -> dict[str, bytes]:
        """Return the contents by digest. Raises Unavailable if one is missing or damaged."""


class FileBlobStore:
    """One file per blob, `folder/namespace/ab/abcd…`, where `ab` are the first characters of the digest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stage(self, namespace: BlobNamespace, files: Iterable[File]) -> None:
        for file in files:
            try:
                self._write(self._make_path(namespace, file.sha256), file.content)
            except OSError as error:
                raise Unavailable(
                    "The hub could not save the files: its disk is full or not writable.",
                    advice="Nothing was recorded. Contact your hub administrator, and try again later. Keep your files.",
                ) from error

    def store(self, session: Session, namespace: BlobNamespace, files: Iterable[File]) -> None:
        """Do nothing: `stage` has written the files."""

    def read(self, session: Session, namespace: BlobNamespace, digests: Iterable[str]) -> dict[str, bytes]:
        return {digest: self._read(namespace, digest) for digest in set(digests)}

    def _read(self, namespace: BlobNamespace, digest: str) -> bytes:
        try:
            content = self._make_path(namespace, digest).read_bytes()
        except OSError as error:
            raise _make_damaged_blob_error(namespace, digest) from error
        if compute_sha256_hex(content) != digest:
            raise _make_damaged_blob_error(namespace, digest)
        return content

    def _write(self, path: Path, content: bytes) -> None:
        if _is_complete(path, content):
            # The process that wrote the file may not have synced the folder yet.
            sync_folder(path.parent)
            return
        create_folder(path.parent, mode=0o700)
        write_atomically(path, content)

    def _make_path(self, namespace: BlobNamespace, digest: str) -> Path:
        return self.folder / namespace / digest[:2] / digest


class DatabaseBlobStore:
    """One row per blob, written in the transaction that refers to it."""

    def stage(self, namespace: BlobNamespace, files: Iterable[File]) -> None:
        """Do nothing: `store` writes the rows."""

    def store(self, session: Session, namespace: BlobNamespace, files: Iterable[File]) -> None:
        rows = {file.sha256: file.content for file in files}
        # Sorted, so that two transactions that insert the same blobs cannot deadlock.
        for digest in sorted(rows):
            insert_if_absent(session, BlobRow, namespace=namespace, sha256=digest, content=rows[digest])

    def read(self, session: Session, namespace: BlobNamespace, digests: Iterable[str]) -> dict[str, bytes]:
        requested_digests = set(digests)
        rows = session.execute(
            select(BlobRow.sha256, BlobRow.content).where(
                BlobRow.namespace == namespace, BlobRow.sha256.in_(requested_digests)
            )
        )
        contents = {digest: bytes(content) for digest, content in rows}
        for digest in requested_digests:
            if compute_sha256_hex(contents.get(digest, b"")) != digest:
                raise _make_damaged_blob_error(namespace, digest)
        return contents


def _make_damaged_blob_error(namespace: BlobNamespace, digest: str) -> Unavailable:
    return Unavailable(
        f"A stored file is missing or damaged ({namespace}/{digest[:12]}).",
        advice="The hub administrator must restore the blobs from a backup.",
    )


def _is_complete(path: Path, content: bytes) -> bool:
    """Return whether the file exists with the right size. A shorter file, for example from a damaged disk, is written again."""
    return path.is_file() and path.stat().st_size == len(content)
