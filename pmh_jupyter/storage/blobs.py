"""Bytes by their SHA-256, in namespaces that never mix: what students receive, what is sealed, what was handed in.

A blob is durable before the row that names it, so that no row is ever without its file. A process killed between the two leaves a
blob that nobody names; the repeat of the same work names it. A full disk raises Unavailable and leaves neither.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.hashing import sha256_hex
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.tables.courses import BlobRow

BlobNamespace = Literal["student", "sealed", "submission"]


class BlobStore(Protocol):
    """Where bytes are kept. `stage` before the transaction, `store` inside it, `read` inside any."""

    def stage(self, namespace: BlobNamespace, contents: Iterable[bytes]) -> None:
        """Makes the contents durable, where that happens outside of the database."""

    def store(self, session: Session, namespace: BlobNamespace, contents: Iterable[bytes]) -> None:
        """Makes the contents part of the transaction, where they are kept in the database."""

    def read(self, session: Session, namespace: BlobNamespace, digests: Iterable[str]) -> dict[str, bytes]:
        """The contents by digest; raises Unavailable when one is missing or damaged."""


class FileBlobStore:
    """One file a blob, below `folder/namespace/ab/`. Written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stage(self, namespace: BlobNamespace, contents: Iterable[bytes]) -> None:
        for content in contents:
            try:
                _write_durably(self._path(namespace, sha256_hex(content)), content)
            except OSError as error:
                raise Unavailable(
                    "The hub could not keep the files: its disk is full or cannot be written.",
                    advice="Nothing was recorded. Tell whoever runs this hub, and try again later; keep your files.",
                ) from error

    def store(self, session: Session, namespace: BlobNamespace, contents: Iterable[bytes]) -> None:
        """Nothing is left to do: the files are durable since `stage`."""

    def read(self, session: Session, namespace: BlobNamespace, digests: Iterable[str]) -> dict[str, bytes]:
        return {digest: self._read(namespace, digest) for digest in set(digests)}

    def _read(self, namespace: BlobNamespace, digest: str) -> bytes:
        try:
            content = self._path(namespace, digest).read_bytes()
        except OSError as error:
            raise _damaged_blob_error(namespace, digest) from error
        if sha256_hex(content) != digest:
            raise _damaged_blob_error(namespace, digest)
        return content

    def _path(self, namespace: BlobNamespace, digest: str) -> Path:
        return self.folder / namespace / digest[:2] / digest


class DatabaseBlobStore:
    """One row a blob, in the transaction of whoever names it."""

    def stage(self, namespace: BlobNamespace, contents: Iterable[bytes]) -> None:
        """Nothing is done before the transaction."""

    def store(self, session: Session, namespace: BlobNamespace, contents: Iterable[bytes]) -> None:
        rows = {sha256_hex(content): content for content in contents}
        # Sorted, so that two transactions with the same blobs wait for each other and never in a circle.
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
            if sha256_hex(contents.get(digest, b"")) != digest:
                raise _damaged_blob_error(namespace, digest)
        return contents


def _damaged_blob_error(namespace: BlobNamespace, digest: str) -> Unavailable:
    return Unavailable(
        f"A stored file is missing or damaged ({namespace}/{digest[:12]}).",
        advice="Whoever runs this hub must restore the blobs from a backup.",
    )


def _write_durably(path: Path, content: bytes) -> None:
    """Temporary file, fsync, rename, fsync of the folder. A file of that name and size is kept, but its entry made sure of:
    whoever wrote it may be just before the last step."""
    if path.is_file() and path.stat().st_size == len(content):
        _fsync_folder(path.parent)
        return
    _make_folder_durably(path.parent)
    descriptor, temporary_name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    temporary_path = Path(temporary_name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary_path.rename(path)
    except BaseException:
        temporary_path.unlink(missing_ok=True)
        raise
    _fsync_folder(path.parent)


def _make_folder_durably(folder: Path) -> None:
    """Makes a folder and what leads to it; each entry is durable in its parent."""
    if folder.is_dir():
        return
    _make_folder_durably(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _fsync_folder(folder.parent)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
