"""Codes that people read from a screen and type: join codes of a classroom, codes of a receipt."""

from __future__ import annotations

# Letters and digits that are not mistaken for each other: no 0 and O, no 1, I and L.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def encode_readable_code(digest: bytes) -> str:
    """Return a code of two groups of four characters, e.g. 7KQM-2XWD, made from a hash or a MAC.

    Carries 39 bits: enough to be hard to guess online, too few to identify a text in a large set.
    """
    number = int.from_bytes(digest, "big")
    characters = ""
    for _ in range(8):
        number, remainder = divmod(number, len(CODE_ALPHABET))
        characters += CODE_ALPHABET[remainder]
    return f"{characters[:4]}-{characters[4:]}"
