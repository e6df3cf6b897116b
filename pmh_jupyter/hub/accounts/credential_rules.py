"""Which names and passwords people may choose.

A name ends up in addresses, folders, the grade book and on the projector: lower-case letters, digits and single hyphens, so that
there is one way to write it and no two look alike. What cannot be typed so is refused with the rule, never silently changed
beyond case and the width of letters.
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
    """The one way to write a name: Unicode's compatibility form, lower case, without spaces around it."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def name_problem(name: str) -> str | None:
    """What is wrong with a name in its normal form, in words for whoever chose it; None when it may be had."""
    if not name:
        return "Choose a name."
    if not NAME_PATTERN.fullmatch(name):
        return (
            "Use 2 to 31 lower-case letters a–z, digits and single hyphens, starting with a letter. For example: ada-l."
        )
    if name in RESERVED_NAMES:
        return "This name is kept for the hub itself. Choose another."
    return None


def password_problem(name: str, password: str) -> str | None:
    """What is wrong with a password; None when it will do. Length is what counts, not signs of every kind."""
    if len(password) < MIN_PASSWORD_LENGTH:
        return f"Use at least {MIN_PASSWORD_LENGTH} characters. Three or four words are easy to remember."
    if len(password) > MAX_PASSWORD_LENGTH:
        return f"Use at most {MAX_PASSWORD_LENGTH} characters."
    if normalize_name(password) == name:
        return "Your name is the first thing that is tried. Choose something else."
    if len(set(password)) < 3:
        return "This is too easily guessed. Three or four words are easy to remember."
    return None
