"""Values as forms and back: what crosses between the judge and the student's process by value.

Only exact types of a fixed list cross by value; whatever else a value holds (and containers that hold themselves or lie
too deep) goes by handle. Reading a form never runs code that the form names.

**Identity.** With a `Memo`, each mutable value is sent as `["m", number, tag, …]` and a second time in the same message
as `["=", number]`, so that it arrives as one object, cycles included. The memo gives the numbers; one that lives longer
than a message can hand out the copy it made before (`known`), which is then filled anew in place.
"""

from __future__ import annotations

import array
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from pmh_jupyter.grading.inside.apart import arrays, containers, scalars, tables
from pmh_jupyter.grading.inside.apart.forms import LEAST_INT, MOST_INT, BadForm, Bounds, TooMuch, exact, fields
from pmh_jupyter.grading.inside.apart.scalars import NATIVE, NotPlain

from .own import BUILTINS

__builtins__ = BUILTINS

__all__ = ["PLAIN_TYPES", "TAGS", "BadForm", "Bounds", "Codec", "Decoder", "Encoder", "Memo", "TooMuch"]

Form = Any
_NATIVE_ITEMS = NATIVE | {int, str}
# Shorter lists gain nothing from being packed.
_WORTH_PACKING = 8
# As many keys of one dict or set may share one hash; honest ones share it by pairs, forged ones by the million.
_MOST_ALIKE = 64
# Tags of forms that the codec reads itself; all others are the peer's.
TAGS = frozenset(
    {"m", "="} | set(scalars.READERS) | set(containers.FILLED) | set(containers.READERS) | arrays.TAGS | tables.TAGS
)
PLAIN_TYPES = frozenset(NATIVE | set(scalars.WRITERS) | set(containers.WRITERS))


class Memo:
    """The numbers of mutable values in one message. A longer-lived memo overrides these methods.

    Sending asks `number`; receiving asks `known` before it builds a value and tells `keep` what it built (a container
    before it is filled). The numbers are the sender's; the receiver's memo must not take them for its own.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        # Keeps what is numbered alive: the id of what is gone may be given again.
        self._values: list[object] = []

    def number(self, value: object) -> int:
        """The number (64 bits, signed) of a value that is sent; the same each time."""
        number = self._numbers.setdefault(id(value), len(self._numbers))
        if number == len(self._values):
            self._values.append(value)
        return number

    def known(self, number: int) -> object | None:
        """The copy made for this number by an earlier message, if there is one."""
        return None

    def keep(self, number: int, value: object) -> None:
        """Note the copy made for this number."""


class Codec:
    """Values to forms and back.

    to_handle: makes the form of what does not cross by value; its tag must not be in `TAGS`. from_handle: gets every list
    whose tag is not the codec's, as it came (never checked), and must raise `BadForm` for what it does not know.
    """

    def __init__(
        self,
        to_handle: Callable[[Any], Form],
        from_handle: Callable[[list[Any]], Any],
        bounds: Bounds | None = None,
    ) -> None:
        self.to_handle = to_handle
        self.from_handle = from_handle
        self.bounds = bounds or Bounds()

    def encode(self, value: Any, memo: Memo | None = None) -> Form:
        """The form of a value; it shares nothing mutable with the value. Raises `TooMuch`, and what to_handle raises.

        After an exception, numbers that the memo gave in this call have not been sent.
        """
        if type(value) in NATIVE:
            return value
        return Encoder(self, memo).value(value)

    def decode(self, form: Form, memo: Memo | None = None) -> Any:
        """The value of a form, which may be anything at all; the form is used up. Raises `BadForm`, and what from_handle raises."""
        if type(form) in _NATIVE_ITEMS:
            return form
        return Decoder(self, memo).value(form)


class Encoder:
    """One value on its way into a form."""

    def __init__(self, codec: Codec, memo: Memo | None) -> None:
        self.bounds = codec.bounds
        self.memo = memo
        self._to_handle = codec.to_handle
        self._left = codec.bounds.most_nodes
        self._depth = 0
        # The containers this one lies in, by id.
        self._around: set[int] = set()
        self._sent: set[int] = set()

    def value(self, value: Any) -> Form:
        """The form of any value."""
        kind = type(value)
        if kind in NATIVE:
            return value
        scalar = scalars.WRITERS.get(kind)
        if scalar is not None:
            try:
                return scalar(value, self.bounds)
            except NotPlain:
                return self._to_handle(value)
        writer = containers.WRITERS.get(kind) or _library_writer(kind)
        if writer is None:
            return self._to_handle(value)
        return self._container(value, kind, writer)

    def _container(self, value: Any, kind: type, writer: Callable[[Encoder, Any], list[Any]]) -> Form:
        here = id(value)
        number = None
        if self.memo is not None and _has_identity(kind):
            number = self.memo.number(value)
            if number in self._sent and (here not in self._around or kind in containers.FILLED_TYPES):
                return ["=", number]
        if here in self._around or self._depth >= self.bounds.most_depth:
            return self._to_handle(value)
        self._around.add(here)
        self._depth += 1
        try:
            if number is not None:
                self._sent.add(number)
            form = writer(self, value)
        except NotPlain:
            self._sent.discard(number)
            return self._to_handle(value)
        finally:
            self._depth -= 1
            self._around.discard(here)
        return form if number is None else ["m", number, *form]

    def items(self, values: Iterable[Any]) -> Form:
        """The forms of many values: a list of forms, or ints packed eight bytes each."""
        items = list(values)
        self._left -= len(items)
        if self._left < 0:
            raise TooMuch(f"More than {self.bounds.most_nodes} items at once are too many to be sent.")
        kinds = set(map(type, items))
        if kinds == {int} and len(items) > _WORTH_PACKING:
            try:
                return b"q" + array.array("q", items).tobytes()
            except OverflowError:
                pass
        elif kinds <= _NATIVE_ITEMS and _is_native(items, kinds):
            return items
        value = self.value
        return [value(item) for item in items]


def _has_identity(kind: type) -> bool:
    """Whether values of this type can be changed, so that it matters which one it is."""
    return kind in containers.NUMBERED or kind in arrays.MUTABLE or kind in tables.MUTABLE


def _is_native(items: list[Any], kinds: set[type]) -> bool:
    """Whether msgpack knows each of these ints and strs as it is."""
    if int in kinds and not all(LEAST_INT <= item <= MOST_INT for item in items if type(item) is int):
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
    # A pair of surrogates in two strings does not become one character by being joined: Python keeps them apart.
    return True


def _library_writer(kind: type) -> Callable[[Encoder, Any], list[Any]] | None:
    """The writer for a type of NumPy or pandas, if they are loaded here."""
    if "numpy" not in sys.modules:
        return None
    return arrays.writer(kind) or tables.writer(kind)


class Decoder:
    """One form on its way into a value."""

    def __init__(self, codec: Codec, memo: Memo | None) -> None:
        self.bounds = codec.bounds
        self._memo = memo
        self._from_handle = codec.from_handle
        self._left = codec.bounds.most_nodes
        self._depth = 0
        self._met: dict[int, Any] = {}
        # What from_handle raised: it passes through as it is.
        self._foreign: Exception | None = None

    def value(self, form: Form) -> Any:
        """The value of any form."""
        kind = type(form)
        if kind in _NATIVE_ITEMS:
            return form
        if kind is not list or not form or type(form[0]) is not str:
            raise BadForm("This is no form.")
        tag = form[0]
        if tag not in TAGS:
            return self._handle(form)
        if self._depth > self.bounds.most_depth + 1:
            raise BadForm("A form is nested too deeply.")
        self._depth += 1
        try:
            return self._tagged(tag, form)
        except BadForm:
            raise
        except Exception as error:
            if error is self._foreign:
                raise
            raise BadForm(f"A form makes no value: {type(error).__name__}.") from None
        finally:
            self._depth -= 1

    def _handle(self, form: list[Any]) -> Any:
        try:
            return self._from_handle(form)
        except Exception as error:
            self._foreign = error
            raise

    def _tagged(self, tag: str, form: list[Any]) -> Any:
        if tag == "m":
            return self._numbered(form)
        if tag == "=":
            return self._again(form)
        if tag in scalars.READERS:
            return scalars.READERS[tag](form, self.bounds)
        if tag in containers.FILLED:
            _, empty, fill = containers.FILLED[tag]
            return fill(self, empty(form), form)
        reader = containers.READERS.get(tag) or arrays.reader(tag) or tables.reader(tag)
        if reader is None:
            raise BadForm("This is no form.")
        return reader(self, form)

    def _numbered(self, form: list[Any]) -> Any:
        """A mutable value: the copy of an earlier message filled anew, or a new one, kept before it is filled."""
        if self._memo is None or len(form) < 3 or type(form[1]) is not int or form[1] in self._met:
            raise BadForm("A numbered value out of place.")
        number, tag = form[1], form[2]
        body = form[2:]
        if type(tag) is not str:
            raise BadForm("A tag of the wrong type.")
        if tag not in containers.FILLED:
            if tag in ("m", "=") or tag not in TAGS:
                raise BadForm("Only a mutable value has a number.")
            value = self._renewed(number, self._tagged(tag, body))
            self._keep(number, value)
            return value
        kind, empty, fill = containers.FILLED[tag]
        value, fresh = self._memo.known(number), empty(body)
        if type(value) is not kind or not containers.alike(value, fresh):
            value = fresh
        self._keep(number, value)
        return fill(self, value, body)

    def _keep(self, number: int, value: Any) -> None:
        self._met[number] = value
        assert self._memo is not None
        self._memo.keep(number, value)

    def _renewed(self, number: int, fresh: Any) -> Any:
        """The known copy with the content of the fresh one, where that can be done in place; else the fresh one."""
        assert self._memo is not None
        known = self._memo.known(number)
        if known is None or type(known) is not type(fresh):
            return fresh
        if isinstance(known, bytearray):
            known[:] = exact(fresh, bytearray)
            return known
        return known if arrays.refill(known, fresh) or tables.refill(known, fresh) else fresh

    def _again(self, form: list[Any]) -> Any:
        (number,) = fields(form, 1)
        if self._memo is None or type(number) is not int:
            raise BadForm("A number out of place.")
        if number in self._met:
            return self._met[number]
        value = self._memo.known(number)
        if value is None:
            raise BadForm("A number of nothing.")
        return value

    def items(self, form: Form) -> list[Any]:
        """Many values, from their forms or packed."""
        if type(form) is bytes:
            return self._unpacked(form)
        self._spend(len(exact(form, list)))
        if set(map(type, form)) <= _NATIVE_ITEMS:
            return form  # type: ignore[no-any-return]
        value = self.value
        return [value(item) for item in form]

    def _unpacked(self, form: bytes) -> list[int]:
        if form[:1] != b"q" or len(form) % 8 != 1:
            raise BadForm("Packed integers are cut short.")
        self._spend(len(form) // 8)
        numbers = array.array("q")
        numbers.frombytes(memoryview(form)[1:])
        return numbers.tolist()

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise BadForm("A form holds too many items.")

    def keys(self, form: Form) -> list[Any]:
        """Many values that can be hashed, and whose hashes differ as those of honest values do."""
        keys = self.items(form)
        if len(keys) > _MOST_ALIKE and type(form) is not bytes and not set(map(type, keys)) <= {str, bytes, bool}:
            if max(Counter(map(hash, keys)).values()) > _MOST_ALIKE:
                raise BadForm("Too many keys share one hash.")
        return keys
