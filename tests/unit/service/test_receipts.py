"""Receipts can be verified, and altered receipts are rejected."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pmh_jupyter.service.receipts import ReceiptSigner, make_short_code, verify_receipt
from pmh_jupyter.wire.submission import Receipt

FIELDS = {
    "submission_id": "5f3c9a10-0000-4000-8000-000000000001",
    "person_id": "5f3c9a10-0000-4000-8000-000000000002",
    "classroom": "demo",
    "lesson": "sums",
    "release_id": "a" * 64,
    "content_hash": "b" * 64,
    "received_at": "2026-11-22T18:00:00.123456+00:00",
}
OTHER_FIELDS = {
    "submission_id": FIELDS["person_id"],
    "person_id": FIELDS["submission_id"],
    "classroom": "other",
    "lesson": "other",
    "release_id": "c" * 64,
    "content_hash": "d" * 64,
    "received_at": "2026-11-22T18:00:00+00:00",
}


def test_signed_receipt_is_verified_after_a_json_round_trip(tmp_path: Path) -> None:
    signer = ReceiptSigner(tmp_path / "keys" / "receipts")
    signed = signer.sign(FIELDS)
    receipt = Receipt.model_validate_json(Receipt.model_validate(signed).model_dump_json())
    assert verify_receipt(receipt, signer.public_keys)
    assert re.fullmatch(r"[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}", receipt.code)


def test_signing_is_deterministic(tmp_path: Path) -> None:
    signer = ReceiptSigner(tmp_path / "key")
    assert signer.sign(FIELDS) == signer.sign(FIELDS)


@pytest.mark.parametrize("field", sorted({*FIELDS, "code", "signature", "key_id"}))
def test_receipt_with_one_altered_field_is_rejected(tmp_path: Path, field: str) -> None:
    signer = ReceiptSigner(tmp_path / "key")
    signed = signer.sign(FIELDS)
    other = signer.sign(OTHER_FIELDS) | {"key_id": "unknown"}
    assert not verify_receipt(Receipt.model_validate({**signed, field: other[field]}), signer.public_keys)


def test_receipt_whose_signature_is_not_base64_is_rejected(tmp_path: Path) -> None:
    signer = ReceiptSigner(tmp_path / "key")
    assert not verify_receipt(Receipt.model_validate({**signer.sign(FIELDS), "signature": "§"}), signer.public_keys)


def test_signers_with_the_same_key_file_have_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "receipts"
    first, second = ReceiptSigner(path), ReceiptSigner(path)
    assert first.key_id == second.key_id
    assert verify_receipt(Receipt.model_validate(first.sign(FIELDS)), second.public_keys)


def test_short_codes_differ_by_submission_and_content() -> None:
    codes = {make_short_code(submission_id, digest) for submission_id in ("a", "b") for digest in ("c", "d")}
    assert len(codes) == 4
