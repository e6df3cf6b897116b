"""Encodes values for the other process, and decodes them.

Only values whose type is exactly one of a fixed list are encoded by value. Everything else, and containers that contain themselves without
a memo or are nested too deeply, is encoded as a reference by the caller's function. Decoding never runs code that the message names.

**Identity.** With a `Memo`, a mutable value is encoded as `["m", number, tag, …]`, and when it occurs again in the same message as
`["=", number]`. So it arrives as one object, cycles included. The memo assigns the numbers. If a memo outlives a message, it returns
the copy that an earlier message made (`find_known_value`), which is then refilled in place.
"""

from __future__ import annotations

import array
from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from pmh_jupyter.grading.runtime.marshalling import arrays, containers, scalars, table_readers, tables
from pmh_jupyter.grading.runtime.marshalling.loaded_libraries import get_loaded_numpy
from pmh_jupyter.grading.runtime.marshalling.memo import Memo
from pmh_jupyter.grading.runtime.marshalling.scalars import NATIVE_TYPES, NotByValue
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import (
    MAX_INT,
    MIN_INT,
    SizeBounds,
    ValueEncoder,
    ValueTooLarge,
    WireFormatError,
    require_fields,
    require_type,
)

__builtins__ = BUILTINS

WireValue = Any
_NATIVE_ITEM_TYPES = NATIVE_TYPES | {int, str}
# Packing shorter lists saves no space.
_MIN_PACKED_ITEMS = 8
# Maximum number of keys of one dict or set with the same hash. Honest keys collide in pairs, forged ones by the million.
_MAX_EQUAL_HASHES = 64
_READERS = containers.READERS | arrays.READERS | table_readers.READERS
# The tags that the codec decodes itself. All other tags are references.
TAGS = frozenset({"m", "=", *scalars.READERS, *containers.FILLABLE, *_READERS})


class Codec:
    """Encodes and decodes values.

    to_reference: encodes a value that is not encoded by value; the tag that it uses must not be in `TAGS`.
    from_reference: receives every list whose tag is not in `TAGS`, unchecked; must raise `WireFormatError` for unknown lists.
    bounds: maximum size of a value.

    `keeps_half_precision` returns whether a decoded number keeps the type `float16`; it becomes a `float64` otherwise.
    """

    def __init__(
        self,
        to_reference: Callable[[Any], WireValue],
        from_reference: Callable[[list[Any]], Any],
        bounds: SizeBounds | None = None,
    ) -> None:
        self.to_reference = to_reference
        self.from_reference = from_reference
        self.bounds = bounds or SizeBounds()
        self.keeps_half_precision: Callable[[], bool] = lambda: True

    def encode(self, value: Any, memo: Memo | None = None) -> WireValue:
        """Encode a value. The result shares nothing mutable with the value.

        Raises `ValueTooLarge`, and the exceptions of `to_reference`. After an exception, numbers that the memo assigned in this call have
        not been sent.
        """
        return Encoder(self, memo).encode(value)

    def decode(self, encoded: WireValue, memo: Memo | None = None) -> Any:
        """Decode a value from untrusted input, which is consumed. Raises `WireFormatError`, and the exceptions of `from_reference`."""
        if type(encoded) in _NATIVE_ITEM_TYPES:
            return encoded
        return Decoder(self, memo).decode(encoded)

    def encode_message(
        self, content: Iterable[Any], changed_values: Iterable[Any], memo: Memo
    ) -> tuple[WireValue, WireValue]:
        """Encode the two lists of values of a message, in which a mutable value is written only once."""
        encoder = Encoder(self, memo)
        return encoder.encode_items(content), encoder.encode_items(changed_values)

    def decode_message(self, content: WireValue, changed_values: WireValue, memo: Memo) -> tuple[list[Any], list[Any]]:
        """Decode the two lists of a message. Raises the errors of `decode`, and any exception for arguments that are not lists."""
        decoder = Decoder(self, memo)
        return decoder.decode_items(content), decoder.decode_items(changed_values)


class Encoder:
    """Encodes one value."""

    def __init__(self, codec: Codec, memo: Memo | None) -> None:
        self.bounds = codec.bounds
        self.memo = memo
        self._to_reference = codec.to_reference
        self._remaining_nodes = codec.bounds.max_nodes
        self._depth = 0
        # The ids of the containers that contain the current one.
        self._enclosing_ids: set[int] = set()
        self._sent_numbers: set[int] = set()

    def encode(self, value: Any) -> WireValue:
        """Encode any value."""
        cls = type(value)
        if (
            type(cls) is not type and cls is not Fraction
        ):  # a metaclass of the student could decide which type the class equals
            writer = _find_library_writer(cls)
            return self._to_reference(value) if writer is None else self._encode_container(value, cls, writer)
        if cls in NATIVE_TYPES:
            return value
        write_scalar = scalars.WRITERS.get(cls)
        if write_scalar is not None:
            try:
                return write_scalar(value, self.bounds)
            except NotByValue:
                return self._to_reference(value)
        writer = containers.WRITERS.get(cls) or _find_library_writer(cls)
        if writer is None:
            return self._to_reference(value)
        return self._encode_container(value, cls, writer)

    def _encode_container(self, value: Any, cls: type, writer: Callable[[ValueEncoder, Any], list[Any]]) -> WireValue:
        value_id = id(value)
        number = None
        if self.memo is not None and _has_identity(cls):
            number = self.memo.assign_number(value)
            if number in self._sent_numbers and (
                value_id not in self._enclosing_ids or cls in containers.FILLABLE_TYPES
            ):
                return ["=", number]
        if value_id in self._enclosing_ids or self._depth >= self.bounds.max_depth:
            return self._to_reference(value)
        self._enclosing_ids.add(value_id)
        self._depth += 1
        try:
            if number is not None:
                self._sent_numbers.add(number)
            encoded = writer(self, value)
        except NotByValue:
            self._sent_numbers.discard(number)
            return self._to_reference(value)
        finally:
            self._depth -= 1
            self._enclosing_ids.discard(value_id)
        return encoded if number is None else ["m", number, *encoded]

    def encode_items(self, values: Iterable[Any]) -> WireValue:
        """Encode many values, as a list of encoded values or as ints packed in eight bytes each."""
        items = list(values)
        self._remaining_nodes -= len(items)
        if self._remaining_nodes < 0:
            raise ValueTooLarge(f"More than {self.bounds.max_nodes} items at once are too many to be sent.")
        kinds = set(map(type, items))
        if kinds == {int} and len(items) > _MIN_PACKED_ITEMS:
            try:
                return b"q" + array.array("q", items).tobytes()
            except OverflowError:
                pass
        elif kinds <= _NATIVE_ITEM_TYPES and _is_native(items, kinds):
            return items
        encode = self.encode
        return [encode(item) for item in items]


def _has_identity(cls: type) -> bool:
    """Return whether values of this type are mutable, so that their identity matters."""
    return cls in containers.NUMBERED_TYPES or cls in arrays.MUTABLE or cls in tables.MUTABLE


def _is_native(items: list[Any], kinds: set[type]) -> bool:
    """Return whether msgpack represents each of these ints and strs directly."""
    if int in kinds and not all(MIN_INT <= item <= MAX_INT for item in items if type(item) is int):
        return False
    if str not in kinds:
        return True
    texts = items if len(kinds) == 1 else [item for item in items if type(item) is str]
    if all(map(str.isascii, texts)):
        return True
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    # Joining two strings never turns two lone surrogates into one character: a str stores them separately.
    return True


def _find_library_writer(cls: type) -> Callable[[ValueEncoder, Any], list[Any]] | None:
    """Return the writer for a type of NumPy or pandas, if the library is loaded in this process."""
    if get_loaded_numpy() is None:
        return None
    return arrays.find_writer(cls) or tables.find_writer(cls)


def refill(existing: Any, fresh: Any) -> bool:
    """Replace the content of a mutable value by that of another. Returns False, without a change, if that is not possible."""
    if type(existing) is not type(fresh):
        return False
    if type(existing) in containers.NUMBERED_TYPES:
        return containers.refill(existing, fresh)
    return arrays.refill(existing, fresh) or tables.refill(existing, fresh)


class Decoder:
    """Decodes one value."""

    def __init__(self, codec: Codec, memo: Memo | None) -> None:
        self.bounds = codec.bounds
        self.keeps_half_precision = codec.keeps_half_precision
        self._memo = memo
        self._from_reference = codec.from_reference
        self._remaining_nodes = codec.bounds.max_nodes
        self._depth = 0
        self._received_values: dict[int, Any] = {}
        # An exception of `from_reference`, which is passed on unchanged.
        self._reference_error: Exception | None = None

    def decode(self, encoded: WireValue) -> Any:
        """Decode any value."""
        cls = type(encoded)
        if cls in _NATIVE_ITEM_TYPES:
            return encoded
        if cls is not list or not encoded or type(encoded[0]) is not str:
            raise WireFormatError("This is not an encoded value.")
        tag = encoded[0]
        if tag not in TAGS:
            return self._decode_reference(encoded)
        if self._depth > self.bounds.max_depth + 1:
            raise WireFormatError("An encoded value is nested too deeply.")
        self._depth += 1
        try:
            return self._decode_tagged(tag, encoded)
        except WireFormatError:
            raise
        except Exception as error:
            if error is self._reference_error:
                raise
            raise WireFormatError(f"An encoded value is malformed: {type(error).__name__}.") from None
        finally:
            self._depth -= 1

    def _decode_reference(self, encoded: list[Any]) -> Any:
        try:
            return self._from_reference(encoded)
        except Exception as error:
            self._reference_error = error
            raise

    def _decode_tagged(self, tag: str, encoded: list[Any]) -> Any:
        if tag == "m":
            return self._decode_numbered(encoded)
        if tag == "=":
            return self._decode_repeated(encoded)
        if tag in scalars.READERS:
            return scalars.READERS[tag](encoded, self.bounds)
        if tag in containers.FILLABLE:
            _, make_empty, fill = containers.FILLABLE[tag]
            return fill(self, make_empty(encoded), encoded)
        return _READERS[tag](self, encoded)

    def _decode_numbered(self, encoded: list[Any]) -> Any:
        """Decode a mutable value: refills the copy of an earlier message, or creates one and remembers it before it is filled."""
        if self._memo is None or len(encoded) < 3 or type(encoded[1]) is not int or encoded[1] in self._received_values:
            raise WireFormatError("A numbered value is in the wrong place.")
        number, tag = encoded[1], encoded[2]
        if self._memo.is_protected(number):
            received = self._decode_protected(number, tag, encoded[2:])
            self._received_values[number] = self._memo.settle(number, received)
            return self._received_values[number]
        self._memo.begin_change(number)
        body = encoded[2:]
        if type(tag) is not str:
            raise WireFormatError("A tag has the wrong type.")
        if tag not in containers.FILLABLE:
            if tag in ("m", "=") or tag not in TAGS:
                raise WireFormatError("Only a mutable value has a number.")
            value = self._refill(number, self._decode_tagged(tag, body))
            self._remember(number, value)
            return value
        cls, make_empty, fill = containers.FILLABLE[tag]
        value, fresh = self._memo.find_known_value(number), make_empty(body)
        if type(value) is not cls or not containers.has_same_settings(value, fresh):
            value = fresh
        self._remember(number, value)
        return fill(self, value, body)

    def _decode_protected(self, number: int, tag: Any, body: list[Any]) -> Any:
        """Decode a protected value that comes back, as a new value."""
        if type(tag) is not str or tag in ("m", "=") or tag not in TAGS:
            raise WireFormatError("Only a mutable value has a number.")
        if tag not in containers.FILLABLE:
            return self._decode_tagged(tag, body)
        _, make_empty, fill = containers.FILLABLE[tag]
        value = self._received_values[number] = make_empty(body)
        return fill(self, value, body)

    def _remember(self, number: int, value: Any) -> None:
        self._received_values[number] = value
        assert self._memo is not None
        self._memo.remember(number, value)

    def _refill(self, number: int, fresh: Any) -> Any:
        """Return the existing copy, refilled in place with the fresh content, or the fresh value if that is not possible."""
        assert self._memo is not None
        existing = self._memo.find_known_value(number)
        return existing if existing is not None and refill(existing, fresh) else fresh

    def _decode_repeated(self, encoded: list[Any]) -> Any:
        (number,) = require_fields(encoded, 1)
        if self._memo is None or type(number) is not int:
            raise WireFormatError("A number is in the wrong place.")
        if number in self._received_values:
            return self._received_values[number]
        value = self._memo.find_known_value(number)
        if value is None:
            raise WireFormatError("A number has no value.")
        return value

    def decode_items(self, encoded: WireValue) -> list[Any]:
        """Decode many values, given as encoded values or packed."""
        if type(encoded) is bytes:
            return self._unpack_integers(encoded)
        self._count_nodes(len(require_type(encoded, list)))
        if set(map(type, encoded)) <= _NATIVE_ITEM_TYPES:
            return encoded  # type: ignore[no-any-return]
        decode = self.decode
        return [decode(item) for item in encoded]

    def _unpack_integers(self, encoded: bytes) -> list[int]:
        if encoded[:1] != b"q" or len(encoded) % 8 != 1:
            raise WireFormatError("Packed integers are incomplete.")
        self._count_nodes(len(encoded) // 8)
        numbers = array.array("q")
        numbers.frombytes(memoryview(encoded)[1:])
        return numbers.tolist()

    def _count_nodes(self, count: int) -> None:
        self._remaining_nodes -= count
        if self._remaining_nodes < 0:
            raise WireFormatError("An encoded value has too many items.")

    def decode_keys(self, encoded: WireValue) -> list[Any]:
        """Decode many hashable values. Raises `WireFormatError` if too many of them share a hash."""
        keys = self.decode_items(encoded)
        if (
            len(keys) > _MAX_EQUAL_HASHES
            and type(encoded) is not bytes
            and not set(map(type, keys)) <= {str, bytes, bool}
        ):
            if max(Counter(map(hash, keys)).values()) > _MAX_EQUAL_HASHES:
                raise WireFormatError("Too many keys share one hash.")
        return keys
