"""What does not cross by value: how it is named to the other side, and what stands in for it here.

Forms: `["obj", number, class]` an object of the sender's, with its plain value as a fourth field where the class derives from a plain
type; `["cls", number, description]` a class of the sender's, described the first time only; `["own", number]` what the receiver gave;
`["import", module, path]` a library's; `["exc", name, values]` an exception of Python's own; `["object-method", name]` a method of `object`.
"""

from __future__ import annotations

import re
import types
import weakref
from typing import Any

from pmh_jupyter.grading.runtime.marshalling import exceptions
from pmh_jupyter.grading.runtime.marshalling.codec import Codec
from pmh_jupyter.grading.runtime.proxies import importable_objects
from pmh_jupyter.grading.runtime.proxies.class_description import describe_class
from pmh_jupyter.grading.runtime.proxies.object_table import ObjectTable, RemoteReference
from pmh_jupyter.grading.runtime.proxies.proxies import ProxyMeta, proxy_class_reference, remote_reference_of
from pmh_jupyter.grading.runtime.proxies.proxy_classes import ProxyClasses, value_base
from pmh_jupyter.grading.runtime.proxies.remote_peer import RemotePeer
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import ValueTooLarge, WireFormatError

__builtins__ = BUILTINS

MAX_NESTED_VALUES = 30
# Bases that are not named: what derives from them is taken for an ordinary exception.
_CONTROL_EXCEPTIONS = (BaseException, KeyboardInterrupt, SystemExit, GeneratorExit)
# What `pattern.search` is: a kind of function written in C, told by no name, that is called as the others are.
_C_METHOD_TYPE = type(re.compile("").search)
_PLAIN_VALUE_FUNCTIONS: dict[type, Any] = {
    int: int.__pos__,
    float: float.__pos__,
    complex: complex.__pos__,
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    tuple: lambda value: tuple.__getitem__(value, slice(None)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}


def _object_method(name: str) -> Any:
    """A method that every object has, so that a test can see whether a class has one of its own."""
    method = vars(object).get(name)
    if type(method) is not types.WrapperDescriptorType:
        raise WireFormatError("No method of object's.")
    return method


class NeverMarshalled:
    """What derives from this never crosses."""


class Marshaller:
    """One side's objects over there, and the other side's here. `trusted`: what the other side names is taken (never by the judge)."""

    def __init__(self, peer: RemotePeer, *, trusts_peer: bool) -> None:
        self._peer, self._trusts_peer = peer, trusts_peer
        self.codec = Codec(self._to_reference, self._from_reference)
        self.exported_objects = ObjectTable()
        self.proxy_classes = ProxyClasses(peer)
        self.dropped_references: list[tuple[int, int]] = []
        self.newly_described_classes: list[int] = []
        self._proxies: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._value_proxies: dict[int, Any] = {}
        self._nesting_depth = 0

    def forget_value_proxies(self) -> None:
        """Stand-ins that hold a value need not be the same ones from here on."""
        self._value_proxies.clear()

    # Out.

    def _to_reference(self, value: Any) -> list[Any]:
        kind = type(value)
        if kind is ProxyMeta or type(kind) is ProxyMeta:
            encoded_proxy = self._encode_proxy(value)
            if encoded_proxy is not None:
                return encoded_proxy
        if issubclass(kind, type):
            return self._encode_class_value(value)
        if issubclass(kind, BaseException) and exceptions.crosses_by_value(value):
            tag, name, values = exceptions.exception_fields(value)
            return [tag, name, self._encode_nested(values)]
        # The judge names what is a library's; by the other side's name it would take nothing but a few types.
        import_path = None if self._trusts_peer else importable_objects.import_path_of(value)
        if import_path is not None:
            return ["import", *import_path]
        if kind is types.WrapperDescriptorType and value.__objclass__ is object:
            return ["object-method", value.__name__]
        if issubclass(kind, NeverMarshalled):
            raise TypeError("this belongs to the tests alone")
        encoded = ["obj", self.exported_objects.export(value), self._encode_class(kind)]
        base = value_base(kind)
        return encoded if base in (None, kind) else [*encoded, self._encode_nested(_PLAIN_VALUE_FUNCTIONS[base](value))]

    def _encode_proxy(self, value: Any) -> list[Any] | None:
        class_reference = proxy_class_reference(value)
        remote = remote_reference_of(value)
        if class_reference is None and remote is None:
            return None
        peer, number = class_reference if class_reference is not None else (remote.peer, remote.number)  # type: ignore[union-attr]
        if peer is not self._peer:
            raise ReferenceError("this object went away with the process that had it")
        return ["own", number]

    def _encode_class_value(self, kind: type) -> list[Any]:
        import_path = importable_objects.allowed_import_path(kind)
        if import_path is None and not self._trusts_peer:
            import_path = importable_objects.import_path_of(kind)
        if import_path is not None:
            return ["import", *import_path]
        self.exported_objects.export(kind)
        return self._encode_class(kind)

    def _encode_class(self, kind: type) -> list[Any]:
        if type(kind) is ProxyMeta:
            raise TypeError("an object cannot cross whose class is a stand-in")
        if kind is _C_METHOD_TYPE:
            kind = types.BuiltinFunctionType
        if kind in _CONTROL_EXCEPTIONS:
            return ["import", "builtins", "Exception"]
        number, is_new = self.exported_objects.export_class(kind)
        if not is_new:
            return ["cls", number]
        self.newly_described_classes.append(number)
        return ["cls", number, describe_class(kind, self._encode_base)]

    def _encode_base(self, kind: type) -> list[Any]:
        import_path = importable_objects.allowed_import_path(kind)
        return ["import", *import_path] if import_path is not None else self._encode_class(kind)

    def _encode_nested(self, value: Any) -> Any:
        """The form of a value that belongs to another one's."""
        if self._nesting_depth >= MAX_NESTED_VALUES:
            raise ValueTooLarge("objects lie too deep in one another")
        self._nesting_depth += 1
        try:
            return self.codec.encode(value)
        finally:
            self._nesting_depth -= 1

    # In.

    def _from_reference(self, encoded: list[Any]) -> Any:
        tag, *arguments = encoded
        if tag == "own" and len(arguments) == 1:
            return self.exported_objects.find(arguments[0])
        if tag == "cls":
            return self.proxy_classes.decode_class(encoded)
        if tag == "import" and len(arguments) == 2 and type(arguments[0]) is str and type(arguments[1]) is str:
            return (
                importable_objects.import_object(*arguments)
                if self._trusts_peer
                else self.proxy_classes.decode_class(encoded)
            )
        if tag == exceptions.TAG and len(arguments) == 2:
            return exceptions.read_exception(arguments[0], self.codec.decode(arguments[1]))
        if tag == "object-method" and len(arguments) == 1 and type(arguments[0]) is str:
            return _object_method(arguments[0])
        if tag == "obj" and len(arguments) in (2, 3) and type(arguments[0]) is int:
            return self._make_proxy(arguments[0], arguments[1], arguments[2:])
        raise WireFormatError("A form has an unknown tag.")

    def _make_proxy(self, number: int, encoded_class: Any, content: list[Any]) -> Any:
        kind = self.proxy_classes.decode_class(encoded_class)
        existing = self._proxies.get(number)
        existing = self._value_proxies.get(number) if existing is None else existing
        if existing is not None and type(existing) is kind:
            remote_reference_of(existing).count += 1  # type: ignore[union-attr]
            return existing
        proxy = self._new_proxy(kind, content)
        remote = RemoteReference(self._peer, number, self.dropped_references)
        remote.count = 1
        object.__setattr__(proxy, "_pmh_reference", remote)
        try:
            self._proxies[number] = proxy
        except TypeError:  # of a tuple or an int there is no weak reference
            self._value_proxies[number] = proxy
        return proxy

    def _new_proxy(self, kind: Any, content: list[Any]) -> Any:
        is_proxy_class: bool = type(kind) is ProxyMeta
        if not is_proxy_class:
            raise WireFormatError("An object of a class that crosses by value.")
        base: Any = value_base(kind)
        if base is not None:
            value = self.codec.decode(content[0]) if content else None
            if type(value) is not base:
                raise WireFormatError("An object without its value.")
            return base.__new__(kind, value)
        if issubclass(kind, BaseException):
            return exceptions.make_blank_exception(kind)
        return object.__new__(kind)
