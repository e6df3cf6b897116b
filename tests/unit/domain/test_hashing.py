"""Content hashes."""

from __future__ import annotations

import hashlib

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.hashing import compute_content_hash, compute_sha256_hex


def test_content_hash_is_the_hash_of_the_documented_manifest() -> None:
    files = (File("b.txt", b"2"), File("ä.txt", b"1"))
    manifest = f'[["b.txt","{compute_sha256_hex(b"2")}"],["ä.txt","{compute_sha256_hex(b"1")}"]]'
    assert compute_content_hash(files) == hashlib.sha256(manifest.encode()).hexdigest()
    assert compute_content_hash(reversed(files)) == compute_content_hash(files)
    assert compute_content_hash(files[:1]) != compute_content_hash(files)
    assert compute_content_hash((File("b.txt", b"3"), files[1])) != compute_content_hash(files)
