"""Clips strings that leave the sandbox: limited in length, valid UTF-8, and shortened in the middle so that both ends can be read."""

from __future__ import annotations

import re
import reprlib

from pmh_jupyter.grading.runtime.marshalling.plain_data import CONTAINER_TYPES

LONG_CONTAINER_SIZE = 10_000
MAX_NAME_LENGTH = 200
MAX_VALUE_LENGTH = 2_000
# Memory addresses differ from one grading to the next, and students do not need them.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,16}(?=>)")


def clip(text: str, limit: int = MAX_NAME_LENGTH) -> str:
    """Shorten a string to at most `limit` characters, with " … " in place of its middle. Lone surrogates become "?".

    Removes memory addresses, so that the same submission gives the same string each time.
    """
    if " at 0x" in text:
        text = _ADDRESS.sub("", text)
    text = text if len(text) <= limit else f"{text[: limit // 2]} … {text[len(text) - limit // 2 + 3 :]}"
    return text.encode("utf-8", "replace").decode("utf-8")


def format_value(value: object) -> str:
    """Return the value's repr, clipped. Very long containers are abridged first. If the repr raises, the name of the type is returned.

    The contents of a namespace are not shown, because it may contain names of a hidden test.
    """
    try:
        if type(value) is dict and "__builtins__" in value:
            return "{…}"
        is_long = type(value) in CONTAINER_TYPES and len(value) > LONG_CONTAINER_SIZE  # type: ignore[arg-type]
        return clip(_abridging_repr.repr(value) if is_long else repr(value), MAX_VALUE_LENGTH)
    except Exception:  # noqa: BLE001 - a student's `__repr__` may raise anything
        return clip(f"<{type(value).__name__}>", MAX_VALUE_LENGTH)


_abridging_repr = reprlib.Repr()
_abridging_repr.maxlist = _abridging_repr.maxtuple = _abridging_repr.maxdict = _abridging_repr.maxset = (
    _abridging_repr.maxfrozenset
) = 50
