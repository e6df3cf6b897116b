"""Content hashes of files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.domain.course import File


def compute_sha256_hex(content: bytes) -> str:
    """Return the hex digest under which the content of a file is stored."""
    return hashlib.sha256(content).hexdigest()


def compute_content_hash(files: Iterable[File]) -> str:
    """Return the SHA-256 (hex) of the canonical manifest of a submission's files: JSON of [path, sha256] pairs, sorted by path.

    Anybody who has the files can compute it to verify a receipt.
    """
    manifest = sorted([file.path, file.sha256] for file in files)
    return compute_sha256_hex(json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode())
