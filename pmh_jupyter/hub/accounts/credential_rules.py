"""Rules for names and passwords.

Names appear in URLs, folder names and the gradebook, and on projectors. They consist of lower-case letters, digits and single hyphens, so
that each has one spelling and no two look alike. Case and full-width letters are normalized; any other name is rejected.
"""

from __future__ import annotations

import re
import unicodedata

NAME_PATTERN = re.compile(r"[a-z](?:-?[a-z0-9]){1,30}")
RESERVED_NAMES = frozenset(
    "administrator api everyone hub instructor jovyan jupyter jupyterhub login logout nobody null pmh root self server service "
    "services signup staff student support system teacher test user users www".split()
)
MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 256


def normalize_name(text: str) -> str:
    """Return the normal form of a name: Unicode NFKC, lower case, without surrounding spaces."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def find_name_problem(name: str) -> str | None:
    """Return the problem with a normalized name, as a sentence for its owner, or None if the name is allowed."""
    if not name:
        return "Choose a username."
    if not NAME_PATTERN.fullmatch(name):
        return (
            "Use 2 to 31 lower-case letters a–z, digits and single hyphens, starting with a letter. For example: ada-l."
        )
    if name in RESERVED_NAMES:
        return "This username is reserved. Choose another."
    return None


def find_password_problem(name: str, password: str) -> str | None:
    """Return the problem with a password, as a sentence for its owner, or None. Length matters, kinds of characters do not."""
    if len(password) < MIN_PASSWORD_LENGTH:
        return f"Use at least {MIN_PASSWORD_LENGTH} characters. Three or four words are easy to remember."
    if len(password) > MAX_PASSWORD_LENGTH:
        return f"Use at most {MAX_PASSWORD_LENGTH} characters."
    if normalize_name(password) == name:
        return "Attackers try your username first. Choose another password."
    if len(set(password)) < 3:
        return "This password is too easy to guess. Three or four words are easy to remember."
    return None
