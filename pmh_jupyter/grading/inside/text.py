"""Text that leaves the sandbox: bounded, printable as UTF-8, cut in the middle so that both ends can be read."""

from __future__ import annotations

import reprlib
from collections.abc import Sized

LONG = 10_000
NAME_LENGTH = 200
VALUE_LENGTH = 2_000


def clip(text: str, limit: int = NAME_LENGTH) -> str:
    """At most `limit` characters; what is left out is replaced by " … " in the middle. Lone surrogates become "?"."""
    text = text if len(text) <= limit else f"{text[: limit // 2]} … {text[len(text) - limit // 2 + 3 :]}"
    return text.encode("utf-8", "replace").decode("utf-8")


def shown(value: object, limit: int = VALUE_LENGTH) -> str:
    """The value's repr, clipped. A repr that raises gives the type's name; very long containers are abridged first."""
    try:
        long = isinstance(value, Sized) and not isinstance(value, str | bytes) and len(value) > LONG
        return clip(_abridged.repr(value) if long else repr(value), limit)
    except Exception:  # noqa: BLE001 - a student's __repr__ or __len__ may raise anything
        return clip(f"<{type(value).__name__}>", limit)


_abridged = reprlib.Repr()
_abridged.maxlist = _abridged.maxtuple = _abridged.maxdict = _abridged.maxset = _abridged.maxfrozenset = 50
