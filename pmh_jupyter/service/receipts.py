"""Receipts: a student's proof that a submission arrived.

The signature is Ed25519 over the canonical JSON (sorted keys, no spaces, UTF-8) of all other fields. Signing is deterministic: the same
submission always gets the same receipt, so only the key must be stored.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from pmh_jupyter.domain.codes import encode_readable_code
from pmh_jupyter.service.key_files import load_or_create_key
from pmh_jupyter.wire.submission import Receipt


class ReceiptSigner:
    """Signs receipts with the private key in the file `path`, which is created if it does not exist."""

    def __init__(self, path: Path) -> None:
        raw = load_or_create_key(path, _generate_key)
        self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(raw))
        self.public_key = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = hashlib.sha256(self.public_key).hexdigest()[:16]

    @property
    def public_keys(self) -> dict[str, str]:
        """Base64 of the raw public key, by key id."""
        return {self.key_id: base64.b64encode(self.public_key).decode()}

    def sign(self, fields: Mapping[str, str]) -> dict[str, Any]:
        """Return the signed receipt as JSON values.

        fields: as text, `submission_id`, `person_id`, `classroom`, `lesson`, `release_id`, `content_hash` and `received_at`.
        """
        values = {**fields, "code": make_short_code(fields["submission_id"], fields["content_hash"])}
        unsigned_receipt = Receipt.model_validate({**values, "key_id": self.key_id, "signature": ""})
        signature = base64.b64encode(self._key.sign(to_canonical_bytes(unsigned_receipt))).decode()
        return unsigned_receipt.model_copy(update={"signature": signature}).model_dump(mode="json")


def make_short_code(submission_id: str, content_hash: str) -> str:
    """Return a code such as 7KQM-2XWD that identifies a submission and its content."""
    return encode_readable_code(hashlib.sha256(f"{submission_id}:{content_hash}".encode()).digest())


def to_canonical_bytes(receipt: Receipt) -> bytes:
    """Return the bytes that are signed."""
    fields = receipt.model_dump(mode="json", exclude={"signature"})
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def verify_receipt(receipt: Receipt, public_keys: Mapping[str, str]) -> bool:
    """Return whether the receipt is unchanged and signed with one of the keys. `public_keys`: as in `ReceiptSigner.public_keys`."""
    try:
        public_key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_keys[receipt.key_id], validate=True))
        public_key.verify(base64.b64decode(receipt.signature, validate=True), to_canonical_bytes(receipt))
    except (KeyError, ValueError, InvalidSignature):
        return False
    return True


def _generate_key() -> bytes:
    raw = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return base64.b64encode(raw)
