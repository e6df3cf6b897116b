"""Codes that people type."""

from __future__ import annotations

import hashlib
import re

from pmh_jupyter.domain.codes import CODE_ALPHABET, encode_readable_code


def test_code_has_two_groups_of_characters_that_cannot_be_confused() -> None:
    codes = [encode_readable_code(hashlib.sha256(bytes([number])).digest()) for number in range(200)]
    assert all(re.fullmatch(rf"[{CODE_ALPHABET}]{{4}}-[{CODE_ALPHABET}]{{4}}", code) for code in codes)
    assert not set("01OIL") & set(CODE_ALPHABET)
    assert len(set(codes)) == len(codes)


def test_code_of_a_digest_never_changes() -> None:
    """Codes of receipts and join codes are computed again later: another result would make the earlier ones invalid."""
    assert encode_readable_code(b"") == "2222-2222"
    assert encode_readable_code((31).to_bytes(4, "big")) == "2322-2222"
    assert encode_readable_code(hashlib.sha256(b"receipt").digest()) == "AZS6-5M5H"
