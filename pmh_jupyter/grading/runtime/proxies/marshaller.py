"""Encodes as references the objects that are not sent by value, and creates proxies from references.

References:
- `["obj", number, class]`: an object of the sender, with its plain value as a fourth item if its class derives from a plain type.
- `["cls", number, description]`: a class of the sender. The description is sent the first time only.
- `["own", number]`: an object of the receiver.
- `["import", module, path]`: an object of a library.
- `["exc", name, values]`: a built-in exception.
- `["object-method", name]`: a method of `object`.
"""

from __future__ import annotations

import re
import types
import weakref
from typing import Any

from pmh_jupyter.grading.runtime.marshalling import conversion, exceptions
from pmh_jupyter.grading.runtime.marshalling.codec import Codec
from pmh_jupyter.grading.runtime.proxies import importable_objects
from pmh_jupyter.grading.runtime.proxies.class_description import describe_class
from pmh_jupyter.grading.runtime.proxies.object_table import ObjectTable, RemoteReference
from pmh_jupyter.grading.runtime.proxies.proxies import (
    ProxyMeta,
    find_proxy_class_reference,
    find_remote_reference,
    find_value_base,
)
from pmh_jupyter.grading.runtime.proxies.proxy_classes import ProxyClasses
from pmh_jupyter.grading.runtime.proxies.remote_peer import RemotePeer
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import ValueTooLarge, WireFormatError

__builtins__ = BUILTINS

MAX_NESTED_VALUES = 30
# Never sent as a base: a class that derives from them arrives as an ordinary exception.
_CONTROL_EXCEPTIONS = (BaseException, KeyboardInterrupt, SystemExit, GeneratorExit)
_NATIVE_MODULES = ("ctypes", "_ctypes", "cffi", "_cffi_backend")
# The type of `pattern.search`, a built-in function whose type has no importable name.
_C_METHOD_TYPE = type(re.compile("").search)


def _build_object_method(name: str) -> Any:
    """Return a method of `object`, which tests compare to find out whether a class overrides it."""
    method = vars(object).get(name)
    if type(method) is not types.WrapperDescriptorType:
        raise WireFormatError("This is not a method of object.")
    return method


def _gives_memory(cls: type) -> bool:
    """Return whether objects of a class read or write memory at any address: functions and pointers of native code."""
    return any(base.__module__.partition(".")[0] in _NATIVE_MODULES for base in type.__dict__["__mro__"].__get__(cls))


class NeverMarshalled:
    """Objects of a class that derives from this are never sent."""


class Marshaller:
    """Tracks the objects that this side has sent, and the proxies of those that it has received.

    trusts_peer: whether this side imports any object that the other side names. The judge never does.
    """

    def __init__(self, peer: RemotePeer, *, trusts_peer: bool) -> None:
        self._peer, self._trusts_peer = peer, trusts_peer
        self.codec = Codec(self._to_reference, self._from_reference)
        self.exported_objects = ObjectTable()
        self.proxy_classes = ProxyClasses(peer)
        self.dropped_references: list[tuple[int, int]] = []
        self.newly_described_classes: list[int] = []
        # Objects of this side that the message being decoded refers to.
        self.returned_objects: list[Any] = []
        # Whether values of a class that derives from a plain type are encoded as that type.
        self.converts_subclasses = False
        self._proxies: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._value_proxies: dict[int, Any] = {}
        self._nesting_depth = 0

    def forget_value_proxies(self) -> None:
        """Forget the proxies that contain a value. Further references create new ones."""
        self._value_proxies.clear()

    # Encoding.

    def _to_reference(self, value: Any) -> list[Any]:
        cls = type(value)
        if cls is ProxyMeta or type(cls) is ProxyMeta:
            encoded_proxy = self._encode_proxy(value)
            if encoded_proxy is not None:
                return encoded_proxy
        if issubclass(cls, type):
            return self._encode_class_value(value)
        if self.converts_subclasses and conversion.has_plain_base(cls):
            return self._encode_nested(conversion.convert(value))  # type: ignore[no-any-return]
        if issubclass(cls, BaseException) and exceptions.is_sent_by_value(value):
            tag, name, values = exceptions.encode_exception_fields(value)
            return [tag, name, self._encode_nested(values)]
        # Only the judge names library objects. From the other side, it accepts only the names of a few types.
        import_path = None if self._trusts_peer else importable_objects.find_import_path(value)
        if import_path is not None:
            return ["import", *import_path]
        if cls is types.WrapperDescriptorType and value.__objclass__ is object:
            return ["object-method", value.__name__]
        if issubclass(cls, NeverMarshalled) or (not self._trusts_peer and _gives_memory(cls)):
            raise TypeError("this object belongs to the tests")
        encoded = ["obj", self.exported_objects.export(value), self._encode_class(cls)]
        base = find_value_base(cls)
        return (
            encoded
            if base in (None, cls)
            else [*encoded, self._encode_nested(conversion.PLAIN_VALUE_FUNCTIONS[base](value))]
        )

    def _encode_proxy(self, value: Any) -> list[Any] | None:
        class_reference = find_proxy_class_reference(value)
        remote = find_remote_reference(value)
        if class_reference is None and remote is None:
            return None
        peer, number = class_reference if class_reference is not None else (remote.peer, remote.number)  # type: ignore[union-attr]
        if peer is not self._peer:
            raise ReferenceError("the process of this object has ended")
        return ["own", number]

    def _encode_class_value(self, cls: type) -> list[Any]:
        import_path = importable_objects.find_allowed_import_path(cls)
        if import_path is None and not self._trusts_peer:
            import_path = importable_objects.find_import_path(cls)
        if import_path is not None:
            return ["import", *import_path]
        self.exported_objects.export(cls)
        return self._encode_class(cls)

    def _encode_class(self, cls: type) -> list[Any]:
        if type(cls) is ProxyMeta:
            raise TypeError("an object whose class is a proxy class cannot be sent")
        if cls is _C_METHOD_TYPE:
            cls = types.BuiltinFunctionType
        if cls in _CONTROL_EXCEPTIONS:
            return ["import", "builtins", "Exception"]
        number, is_new = self.exported_objects.export_class(cls)
        if not is_new:
            return ["cls", number]
        self.newly_described_classes.append(number)
        return ["cls", number, describe_class(cls, self._encode_base)]

    def _encode_base(self, cls: type) -> list[Any]:
        import_path = importable_objects.find_allowed_import_path(cls)
        return ["import", *import_path] if import_path is not None else self._encode_class(cls)

    def _encode_nested(self, value: Any) -> Any:
        """Encode a value that is part of a reference."""
        if self._nesting_depth >= MAX_NESTED_VALUES:
            raise ValueTooLarge("objects are nested too deeply")
        self._nesting_depth += 1
        try:
            return self.codec.encode(value)
        finally:
            self._nesting_depth -= 1

    # Decoding.

    def _from_reference(self, encoded: list[Any]) -> Any:
        tag, *arguments = encoded
        if tag == "own" and len(arguments) == 1:
            value = self.exported_objects.find(arguments[0])
            self.returned_objects.append(value)
            return value
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
            return _build_object_method(arguments[0])
        if tag == "obj" and len(arguments) in (2, 3) and type(arguments[0]) is int:
            return self._make_proxy(arguments[0], arguments[1], arguments[2:])
        raise WireFormatError("An encoded value has an unknown tag.")

    def _make_proxy(self, number: int, encoded_class: Any, content: list[Any]) -> Any:
        cls = self.proxy_classes.decode_class(encoded_class)
        proxy = self._find_or_create_proxy(number, cls, content)
        attributes = type.__getattribute__(cls, "__dict__")
        if attributes.get("_pmh_has_plain_base") or (
            attributes.get("_pmh_is_own") and not issubclass(cls, BaseException)
        ):
            self._peer.record_object(proxy)
        return proxy

    def _find_or_create_proxy(self, number: int, cls: Any, content: list[Any]) -> Any:
        existing_proxy = self._proxies.get(number)
        existing_proxy = self._value_proxies.get(number) if existing_proxy is None else existing_proxy
        if existing_proxy is not None and type(existing_proxy) is cls:
            find_remote_reference(existing_proxy).count += 1  # type: ignore[union-attr]
            return existing_proxy
        proxy = self._create_proxy(cls, content)
        remote = RemoteReference(self._peer, number, self.dropped_references)
        remote.count = 1
        object.__setattr__(proxy, "_pmh_reference", remote)
        try:
            self._proxies[number] = proxy
        except TypeError:  # tuples and ints have no weak references
            self._value_proxies[number] = proxy
        self._peer.record_proxy(proxy)
        return proxy

    def _create_proxy(self, cls: Any, content: list[Any]) -> Any:
        is_proxy_class: bool = type(cls) is ProxyMeta
        if not is_proxy_class:
            raise WireFormatError("An object has a class that is sent by value.")
        base: Any = find_value_base(cls)
        if base is not None:
            value = self.codec.decode(content[0]) if content else None
            if type(value) is not base:
                raise WireFormatError("An object has no value.")
            return base.__new__(cls, value)
        if issubclass(cls, BaseException):
            return exceptions.make_blank_exception(cls)
        return object.__new__(cls)
