"""What all who turn values into forms and back share: the bounds, the two errors, and checks of hostile fields.

A *form* is plain msgpack: None, bool, int (64 bits), float, str (valid UTF-8) and bytes stand for themselves; all else
is a list whose first item is a short tag.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

MIN_INT, MAX_INT = -(2**63), 2**63 - 1


class ValueTooLarge(ValueError):
    """A value is too large to be sent across."""


class WireFormatError(ValueError):
    """What came from the other side is no form of a value."""


@dataclass(frozen=True)
class SizeBounds:
    """How much one value may hold.

    most_depth: containers within each other; deeper ones go by handle. most_nodes: items of all containers of one
    message together. most_int_bytes: of one integer; also the digits of a Decimal. most_dimensions: of an array.
    """

    max_depth: int = 64
    max_nodes: int = 4_000_000
    max_int_bytes: int = 1 << 20
    max_dimensions: int = 32


class ValueEncoder(Protocol):
    """What the writers of containers and library types need from the encoder (`marshalling.codec.Encoder`)."""

    bounds: SizeBounds

    def encode(self, value: Any) -> Any: ...
    def encode_items(self, values: Iterable[Any]) -> Any: ...


class ValueDecoder(Protocol):
    """What the readers of containers and library types need from the decoder (`marshalling.codec.Decoder`)."""

    bounds: SizeBounds

    def decode(self, encoded: Any) -> Any: ...
    def decode_items(self, encoded: Any) -> list[Any]: ...
    def decode_keys(self, encoded: Any) -> list[Any]: ...


def require_fields(encoded: list[Any], count: int) -> list[Any]:
    """The form's fields after its tag, which must be that many."""
    if len(encoded) != count + 1:
        raise WireFormatError("A form has the wrong number of fields.")
    return encoded[1:]


def require_type(value: Any, *kinds: type) -> Any:
    """The value, which must be of exactly one of these types."""
    if type(value) not in kinds:
        raise WireFormatError("A field of a form has the wrong type.")
    return value
