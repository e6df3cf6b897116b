"""What does not cross by value: how it is named to the other side, and what stands in for it here.

Forms: `["obj", number, class]` an object of the sender's, with its plain value as a fourth field where the class derives from a plain
type; `["cls", number, description]` a class of the sender's, described the first time only; `["back", number]` what the receiver gave;
`["lib", module, path]` a library's; `["exc", name, values]` an exception of Python's own; `["slot", name]` a method of `object`.
"""

from __future__ import annotations

import re
import types
import weakref
from typing import Any

from . import exceptions, library
from .codec import Codec
from .describe import describe
from .forms import BadForm, TooMuch
from .handles import Given, Handle
from .mirrors import Mirrors, value_base
from .own import BUILTINS
from .proxies import MirrorType, handle_of, mirror_number

__builtins__ = BUILTINS

MOST_NESTED_VALUES = 30
# Bases that are not named: what derives from them is taken for an ordinary exception.
_ENDING = (BaseException, KeyboardInterrupt, SystemExit, GeneratorExit)
# What `pattern.search` is: a kind of function written in C, told by no name, that is called as the others are.
_METHOD_OF_C = type(re.compile("").search)
_PLAIN: dict[type, Any] = {
    int: int.__pos__,
    float: float.__pos__,
    complex: complex.__pos__,
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    tuple: lambda value: tuple.__getitem__(value, slice(None)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}


def _slot(name: str) -> Any:
    """A method that every object has, so that a test can see whether a class has one of its own."""
    method = vars(object).get(name)
    if type(method) is not types.WrapperDescriptorType:
        raise BadForm("No method of object's.")
    return method


class Private:
    """What derives from this never crosses."""


class Crossing:
    """One side's objects over there, and the other side's here. `trusted`: what the other side names is taken (never by the judge)."""

    def __init__(self, peer: Peer, *, trusted: bool) -> None:
        self._peer, self._trusted = peer, trusted
        self.codec = Codec(self._to_handle, self._from_handle)
        self.given = Given()
        self.mirrors = Mirrors(peer)
        self.dropped: list[tuple[int, int]] = []
        self.fresh_classes: list[int] = []
        self._taken: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._kept: dict[int, Any] = {}
        self._nested = 0

    def forget_values(self) -> None:
        """Stand-ins that hold a value need not be the same ones from here on."""
        self._kept.clear()

    # Out.

    def _to_handle(self, value: Any) -> list[Any]:
        kind = type(value)
        if kind is MirrorType or type(kind) is MirrorType:
            back = self._back(value)
            if back is not None:
                return back
        if issubclass(kind, type):
            return self._class_value(value)
        if issubclass(kind, BaseException) and exceptions.is_own(value):
            tag, name, values = exceptions.form_of(value)
            return [tag, name, self._nested_value(values)]
        # The judge names what is a library's; by the other side's name it would take nothing but a few types.
        reference = None if self._trusted else library.name_of(value)
        if reference is not None:
            return ["lib", *reference]
        if kind is types.WrapperDescriptorType and value.__objclass__ is object:
            return ["slot", value.__name__]
        if issubclass(kind, Private):
            raise TypeError("this belongs to the tests alone")
        form = ["obj", self.given.give(value), self._class_form(kind)]
        base = value_base(kind)
        return form if base in (None, kind) else [*form, self._nested_value(_PLAIN[base](value))]

    def _back(self, value: Any) -> list[Any] | None:
        mirror = mirror_number(value)
        handle = handle_of(value)
        if mirror is None and handle is None:
            return None
        peer, number = mirror if mirror is not None else (handle.peer, handle.number)  # type: ignore[union-attr]
        if peer is not self._peer:
            raise ReferenceError("this object went away with the process that had it")
        return ["back", number]

    def _class_value(self, kind: type) -> list[Any]:
        reference = library.known_name(kind)
        if reference is None and not self._trusted:
            reference = library.name_of(kind)
        if reference is not None:
            return ["lib", *reference]
        self.given.give(kind)
        return self._class_form(kind)

    def _class_form(self, kind: type) -> list[Any]:
        if type(kind) is MirrorType:
            raise TypeError("an object cannot cross whose class is a stand-in")
        if kind is _METHOD_OF_C:
            kind = types.BuiltinFunctionType
        if kind in _ENDING:
            return ["lib", "builtins", "Exception"]
        number, fresh = self.given.give_class(kind)
        if not fresh:
            return ["cls", number]
        self.fresh_classes.append(number)
        return ["cls", number, describe(kind, self._base_form)]

    def _base_form(self, kind: type) -> list[Any]:
        reference = library.known_name(kind)
        return ["lib", *reference] if reference is not None else self._class_form(kind)

    def _nested_value(self, value: Any) -> Any:
        """The form of a value that belongs to another one's."""
        if self._nested >= MOST_NESTED_VALUES:
            raise TooMuch("objects lie too deep in one another")
        self._nested += 1
        try:
            return self.codec.encode(value)
        finally:
            self._nested -= 1

    # In.

    def _from_handle(self, form: list[Any]) -> Any:
        tag, *rest = form
        if tag == "back" and len(rest) == 1:
            return self.given.find(rest[0])
        if tag == "cls":
            return self.mirrors.read(form)
        if tag == "lib" and len(rest) == 2 and type(rest[0]) is str and type(rest[1]) is str:
            return library.find(*rest) if self._trusted else self.mirrors.read(form)
        if tag == exceptions.TAG and len(rest) == 2:
            return exceptions.read(rest[0], self.codec.decode(rest[1]))
        if tag == "slot" and len(rest) == 1 and type(rest[0]) is str:
            return _slot(rest[0])
        if tag == "obj" and len(rest) in (2, 3) and type(rest[0]) is int:
            return self._stand_in(rest[0], rest[1], rest[2:])
        raise BadForm("A form has an unknown tag.")

    def _stand_in(self, number: int, described: Any, content: list[Any]) -> Any:
        kind = self.mirrors.read(described)
        known = self._taken.get(number)
        known = self._kept.get(number) if known is None else known
        if known is not None and type(known) is kind:
            handle_of(known).count += 1  # type: ignore[union-attr]
            return known
        made = self._make(kind, content)
        handle = Handle(self._peer, number, self.dropped)
        handle.count = 1
        object.__setattr__(made, "_pmh", handle)
        try:
            self._taken[number] = made
        except TypeError:  # of a tuple or an int there is no weak reference
            self._kept[number] = made
        return made

    def _make(self, kind: Any, content: list[Any]) -> Any:
        mirrored: bool = type(kind) is MirrorType
        if not mirrored:
            raise BadForm("An object of a class that crosses by value.")
        base: Any = value_base(kind)
        if base is not None:
            value = self.codec.decode(content[0]) if content else None
            if type(value) is not base:
                raise BadForm("An object without its value.")
            return base.__new__(kind, value)
        if issubclass(kind, BaseException):
            return exceptions.blank(kind)
        return object.__new__(kind)


from .peer import Peer  # RENAME-ONLY
