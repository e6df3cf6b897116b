"""Receipts hold what they say, for good, and nothing else passes for one."""

from __future__ import annotations

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pmh_jupyter.service.key_files import load_or_create_key
from pmh_jupyter.service.receipts import ReceiptSigner, short_code, verify_receipt
from pmh_jupyter.wire.submission import Receipt

FIELDS = {
    "submission": "5f3c9a10-0000-4000-8000-000000000001",
    "person": "5f3c9a10-0000-4000-8000-000000000002",
    "classroom": "demo",
    "lesson": "sums",
    "release": "a" * 64,
    "content_hash": "b" * 64,
    "received_at": "2026-11-22T18:00:00.123456+00:00",
}


def test_a_receipt_is_signed_and_survives_json(tmp_path: Path) -> None:
    signer = ReceiptSigner(tmp_path / "keys" / "receipts")
    kept = signer.sign(FIELDS)
    receipt = Receipt.model_validate_json(Receipt.model_validate(kept).model_dump_json())
    assert verify_receipt(receipt, signer.public_keys)
    assert kept == signer.sign(FIELDS)
    assert re.fullmatch(r"[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}", receipt.code)


@pytest.mark.parametrize("name", sorted({*FIELDS, "code", "signature", "key_id"}))
def test_one_changed_field_is_noticed(tmp_path: Path, name: str) -> None:
    signer = ReceiptSigner(tmp_path / "key")
    kept = signer.sign(FIELDS)
    other = signer.sign(
        {
            **FIELDS,
            "submission": FIELDS["person"],
            "person": FIELDS["submission"],
            "classroom": "other",
            "lesson": "other",
            "release": "c" * 64,
            "content_hash": "d" * 64,
            "received_at": "2026-11-22T18:00:00+00:00",
        }
    ) | {"key_id": "unknown"}
    assert not verify_receipt(Receipt.model_validate({**kept, name: other[name]}), signer.public_keys)


def test_a_signature_that_is_no_base64_is_no_receipt(tmp_path: Path) -> None:
    signer = ReceiptSigner(tmp_path / "key")
    assert not verify_receipt(Receipt.model_validate({**signer.sign(FIELDS), "signature": "§"}), signer.public_keys)


def test_the_key_stays_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "receipts"
    first, second = ReceiptSigner(path), ReceiptSigner(path)
    assert first.key_id == second.key_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [child.name for child in path.parent.iterdir()] == ["receipts"]


def test_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    made = iter(range(100))

    def make() -> bytes:
        return str(next(made)).encode()

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_or_create_key(tmp_path / "keys" / "one", make), range(32)))
    assert len(keys) == 1


def test_codes_differ_by_submission_and_content() -> None:
    codes = {short_code(one, other) for one in ("a", "b") for other in ("c", "d")}
    assert len(codes) == 4
