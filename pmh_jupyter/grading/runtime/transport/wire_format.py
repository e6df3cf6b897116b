"""The format of encoded values: size bounds, errors, and validation of untrusted fields.

An encoded value is plain msgpack. None, bool, int (64 bits), float, str (valid UTF-8) and bytes represent themselves. Every other value is
a list whose first item is a short tag, such as `["c", 1.0, 2.0]` for a complex number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

MIN_INT, MAX_INT = -(2**63), 2**63 - 1


class ValueTooLarge(ValueError):
    """A value is too large to send."""


class WireFormatError(ValueError):
    """A received message does not encode a value."""


@dataclass(frozen=True)
class SizeBounds:
    """Maximum size of one value.

    max_depth: nesting of containers; deeper ones are sent as references. max_nodes: items of all containers of one message.
    max_int_bytes: bytes of an integer, and digits of a Decimal. max_dimensions: dimensions of an array.
    """

    max_depth: int = 64
    max_nodes: int = 4_000_000
    max_int_bytes: int = 1 << 20
    max_dimensions: int = 32


class ValueEncoder(Protocol):
    """The part of the encoder that writers of containers and library types use (`marshalling.codec.Encoder`)."""

    bounds: SizeBounds

    def encode(self, value: Any) -> Any: ...
    def encode_items(self, values: Iterable[Any]) -> Any: ...


class ValueDecoder(Protocol):
    """The part of the decoder that readers of containers and library types use (`marshalling.codec.Decoder`)."""

    bounds: SizeBounds
    keeps_half_precision: Callable[[], bool]

    def decode(self, encoded: Any) -> Any: ...
    def decode_items(self, encoded: Any) -> list[Any]: ...
    def decode_keys(self, encoded: Any) -> list[Any]: ...


def decode_names(reply: Any) -> list[str]:
    """Return the names in a list that the other process has sent. Anything that is not a string or not in a list is ignored."""
    return [name for name in reply if type(name) is str] if type(reply) is list else []


def require_fields(encoded: list[Any], count: int) -> list[Any]:
    """Return the fields after the tag. Raises `WireFormatError` unless there are exactly `count`."""
    if len(encoded) != count + 1:
        raise WireFormatError("An encoded value has the wrong number of fields.")
    return encoded[1:]


def require_type(value: Any, *kinds: type) -> Any:
    """Return the value. Raises `WireFormatError` unless its type is exactly one of `kinds`."""
    if type(value) not in kinds:
        raise WireFormatError("A field of an encoded value has the wrong type.")
    return value
