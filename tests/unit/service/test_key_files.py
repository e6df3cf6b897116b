"""Key files are created once, completely, and readable by their owner only."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pmh_jupyter.service.key_files import load_or_create_key


def test_key_file_is_private_and_no_other_file_remains(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "receipts"
    assert load_or_create_key(path, lambda: b"key") == b"key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [child.name for child in path.parent.iterdir()] == ["receipts"]


def test_existing_key_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "key"
    load_or_create_key(path, lambda: b"first")
    assert load_or_create_key(path, lambda: b"second") == b"first"


def test_concurrent_callers_get_the_same_key(tmp_path: Path) -> None:
    numbers = iter(range(100))

    def create_key() -> bytes:
        return str(next(numbers)).encode()

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_or_create_key(tmp_path / "keys" / "one", create_key), range(32)))
    assert len(keys) == 1
