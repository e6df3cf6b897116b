"""Proxies: objects and classes of this process that forward operations to the other process.

The proxy of an instance is an instance of a proxy class (see `proxy_classes`), so `isinstance`, `except` and `type(x) is C` need no
request. The attribute `_pmh_reference` (a `RemoteReference`) identifies the object; of a class, `_pmh_class` does.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, NamedTuple

from pmh_jupyter.grading.runtime.proxies import importable_objects
from pmh_jupyter.grading.runtime.proxies.class_description import VALUE_TYPES
from pmh_jupyter.grading.runtime.proxies.object_table import RemoteReference
from pmh_jupyter.grading.runtime.proxies.operators import OPERATOR_OF_METHOD, REFLECTED_OPERATORS
from pmh_jupyter.grading.runtime.proxies.remote_peer import RemotePeer
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

# Dunder attributes that are read in the other process. All others are those of the proxy itself.
_REMOTE_DUNDERS = frozenset(
    """__dict__ __doc__ __module__ __name__ __qualname__ __annotations__ __defaults__ __kwdefaults__ __code__ __func__
    __self__ __wrapped__ __closure__ __globals__ __signature__ __init__ __slots__ __dataclass_fields__ __members__
    __match_args__ __file__ __version__ __all__ __path__ __post_init__ __new__ __call__ __cause__ __context__ __notes__
    __annotate__ __type_params__ __set_name__ __missing__ __getattr__ __setattr__ __delattr__ __getattribute__ __get__ __set__
    __delete__ __objclass__ __origin__ __args__ __parameters__ __value__ __init_subclass__
    __class_getitem__ __abstractmethods__ __isabstractmethod__ __subclasses__""".split(),
)
_REMOTE_CLASS_DUNDERS = _REMOTE_DUNDERS - {"__name__", "__qualname__", "__subclasses__"}
_PRIVATE_CLASS_ATTRIBUTES = frozenset(
    {"_pmh_class", "_pmh_library", "_pmh_has_plain_base", "_pmh_is_own", "_pmh_operators"}
)
_LOCAL_EXCEPTION_DUNDERS = frozenset({"__cause__", "__context__", "__notes__"})


class ProxyClassInfo(NamedTuple):
    """Information of a proxy class about the class that it represents.

    apparent_class: the class that `type` shows for its instances, if that is not the proxy class.
    """

    peer: RemotePeer
    number: int
    apparent_class: type | None


def get_class_info(cls: type) -> ProxyClassInfo:
    """Return what a proxy class represents."""
    info: ProxyClassInfo = type.__getattribute__(cls, "_pmh_class")
    return info


def is_remote_attribute(name: str) -> bool:
    """Return whether this attribute of a proxy belongs to the object in the other process."""
    if name.startswith("__") and name.endswith("__"):
        return name in _REMOTE_DUNDERS or name in OPERATOR_OF_METHOD
    return name not in ("_pmh_reference", "_pmh_class")


def find_remote_reference(value: Any) -> RemoteReference | None:
    """Return the reference of an instance's proxy, or None if the value is not a proxy of an existing object."""
    if not isinstance(type(value), ProxyMeta):
        return None
    try:
        remote: RemoteReference = object.__getattribute__(value, "_pmh_reference")
    except AttributeError:
        return None
    return remote


def is_proxy(value: Any) -> bool:
    """Return whether this object or class is a proxy."""
    return type(value) is ProxyMeta or find_remote_reference(value) is not None


def find_proxy_class_reference(cls: Any) -> tuple[RemotePeer, int] | None:
    """Return the peer and the number of a proxy class, or None for anything else."""
    if type(cls) is not ProxyMeta:
        return None
    info = get_class_info(cls)
    return info.peer, info.number


def get_apparent_class(value: Any) -> type:
    """Return the `type` of a value in the notebook: for the proxy of a library object, the library's class, if it is loaded here."""
    cls = type(value)
    if type(cls) is not ProxyMeta:
        return cls
    return get_class_info(cls).apparent_class or _find_loaded_library_class(cls) or cls


def _find_loaded_library_class(cls: type) -> type | None:
    import_path = type.__getattribute__(cls, "_pmh_library")
    if import_path is None:
        return None
    library_class = importable_objects.find_loaded_object(*import_path)
    return library_class if isinstance(library_class, type) else None


class ProxyMeta(type):
    """The metaclass of proxy classes. A proxy class represents a class of the other process."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> ProxyMeta:
        if "_pmh_class" not in body:
            raise TypeError("a class of a test cell cannot derive from a class that the notebook defines")
        return type.__new__(cls, name, bases, body)

    def mro(cls) -> list[type]:
        """Insert the marker class (Enum, ABC, …) if the class represents one."""
        mro = type.mro(cls)
        marker_class = type.__getattribute__(cls, "__dict__").get("_pmh_marker_class")
        if marker_class is None:
            return mro
        # Plain types are left out: a class that contains a value (IntEnum) cannot share its layout.
        return [
            *mro[:-1],
            *(base for base in marker_class.__mro__ if base not in mro and not issubclass(base, VALUE_TYPES)),
            object,
        ]

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        return _get_peer(cls).call(cls, arguments, keywords)

    def __getattribute__(cls, name: str) -> Any:
        if name in ("__mro__", "__bases__"):
            return tuple(
                object if base in (Proxy, ObjectProxy) else base
                for base in type.__getattribute__(cls, name)
                if name == "__bases__" or base not in (Proxy, ObjectProxy)
            )
        if name in _PRIVATE_CLASS_ATTRIBUTES:
            raise AttributeError(name)
        if name in ("__name__", "__qualname__"):
            _get_peer(cls).require_class_name(cls)
        if (
            is_remote_attribute(name)
            and (name in _REMOTE_CLASS_DUNDERS or not name.startswith("__") or name in OPERATOR_OF_METHOD)
            and name != "mro"
        ):
            return _get_peer(cls).get_attribute(cls, name)
        return type.__getattribute__(cls, name)

    def __setattr__(cls, name: str, value: Any) -> None:
        if name.startswith("__") and name.endswith("__") and name not in OPERATOR_OF_METHOD:
            type.__setattr__(cls, name, value)
        else:
            _get_peer(cls).set_attribute(cls, name, value)

    def __delattr__(cls, name: str) -> None:
        _get_peer(cls).delete_attribute(cls, name)

    def __dir__(cls) -> list[str]:
        names: list[str] = _get_peer(cls).list_attributes(cls)
        return names

    def __iter__(cls) -> Any:
        return _get_peer(cls).apply_operator(cls, "iter", (), {})

    def __len__(cls) -> Any:
        return _get_peer(cls).apply_operator(cls, "len", (), {})

    def __getitem__(cls, key: Any) -> Any:
        return _get_peer(cls).apply_operator(cls, "getitem", (key,), {})

    def __contains__(cls, item: Any) -> Any:
        return _get_peer(cls).apply_operator(cls, "contains", (item,), {})

    def __instancecheck__(cls, value: Any) -> bool:
        if type.__instancecheck__(cls, value):
            return True
        return is_proxy(value) and _get_peer(cls).recognizes(cls, "instancecheck", value)

    def __subclasscheck__(cls, other: type) -> bool:
        if type.__subclasscheck__(cls, other):
            return True
        return type(other) is ProxyMeta and _get_peer(cls).recognizes(cls, "subclasscheck", other)

    def __bool__(cls) -> bool:
        return True

    def __repr__(cls) -> str:
        return f"<class '__main__.{type.__getattribute__(cls, '__qualname__')}'>"


def _get_peer(cls: ProxyMeta) -> RemotePeer:
    return get_class_info(cls).peer


class Proxy:
    """The base of all proxy classes. It does not define attributes that a remote object could have."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return get_apparent_class(self)
        remote = find_remote_reference(self) if is_remote_attribute(name) else None
        if remote is None or (name in _LOCAL_EXCEPTION_DUNDERS and isinstance(self, BaseException)):
            return object.__getattribute__(self, name)
        return remote.peer.get_attribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        remote = find_remote_reference(self)
        if remote is None or (name.startswith("__") and isinstance(self, BaseException)):
            object.__setattr__(self, name, value)
        else:
            remote.peer.set_attribute(self, name, value)

    def __delattr__(self, name: str) -> None:
        remote = find_remote_reference(self)
        if remote is not None:
            remote.peer.delete_attribute(self, name)

    def __dir__(self) -> list[str]:
        remote = find_remote_reference(self)
        return [] if remote is None else remote.peer.list_attributes(self)

    def __repr__(self) -> str:
        return _fetch_text(self, "repr")

    def __str__(self) -> str:
        return _fetch_text(self, "str")

    def __format__(self, format_spec: str) -> str:
        return _fetch_text(self, "format", format_spec)

    def __copy__(self) -> Any:
        remote = find_remote_reference(self)
        return self if remote is None else remote.peer.copy(self, False)

    def __deepcopy__(self, memo: Any) -> Any:
        remote = find_remote_reference(self)
        return self if remote is None else remote.peer.copy(self, True)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("an object of the notebook cannot be pickled by a test")


class ObjectProxy(Proxy):
    """The base of proxy classes whose objects contain no value: it has the operators that Python supplies by default.

    A submission's class may define an operator that the reference's class does not define. Therefore the default counts as a use, too.
    """

    def __eq__(self, other: object) -> Any:
        _record_default_operator(self, "eq", other)
        base: Any = find_value_base(type(self))
        return NotImplemented if base is None else base.__eq__(self, other)

    def __ne__(self, other: object) -> Any:
        base: Any = find_value_base(type(self))
        if base is None:
            return object.__ne__(self, other)
        _record_default_operator(self, "ne", other)
        return base.__ne__(self, other)

    def __hash__(self) -> int:
        _record_default_operator(self, "hash", self)
        base: Any = find_value_base(type(self))
        return object.__hash__(self) if base is None else int(base.__hash__(self))

    def __bool__(self) -> bool:
        _record_default_operator(self, "bool", self)
        if has_operator(type(self), "len"):
            return len(self) > 0
        base: Any = find_value_base(type(self))
        if base is None:
            return True
        return bool(base.__bool__(self) if hasattr(base, "__bool__") else base.__len__(self))


def _record_default_operator(value: Any, name: str, other: Any) -> None:
    remote = find_remote_reference(value)
    if remote is not None:
        remote.peer.record_default_operator(name, other)


def find_value_base(cls: type) -> type | None:
    """Return the plain type whose value a proxy of this class contains, or None."""
    return next((base for base in type.__getattribute__(cls, "__mro__") if base in VALUE_TYPES), None)


def has_operator(cls: type, name: str) -> bool:
    """Return whether a proxy class forwards an operator."""
    forwarder = FORWARDERS[name]
    return any(
        type.__getattribute__(base, "__dict__").get(f"__{name}__") is forwarder
        for base in type.__getattribute__(cls, "__mro__")
        if type(base) is ProxyMeta
    )


def defines_operator_with(cls: type, name: str, other_name: str) -> bool:
    """Return whether the class that defines the other operator, or one that derives from it, defines this operator, too."""
    if type(cls) is not ProxyMeta:
        return True
    for base in type.__getattribute__(cls, "__mro__"):
        operators = type.__getattribute__(base, "__dict__")["_pmh_operators"] if type(base) is ProxyMeta else ()
        if name in operators or other_name in operators:
            return name in operators
    return False


def _fetch_text(value: Any, name: str, *arguments: str) -> str:
    remote = find_remote_reference(value)
    if remote is None:
        return f"<{type.__getattribute__(type(value), '__name__')}>"
    text = remote.peer.apply_operator(value, name, arguments, {})
    if type(text) is not str:
        raise TypeError(f"__{name}__ returned no string")
    return text


def make_forwarder(name: str) -> Callable[..., Any]:
    """Make the method of a proxy class that forwards this operator."""

    def method(self: Any, /, *arguments: Any, **keywords: Any) -> Any:
        remote = find_remote_reference(self)
        if remote is None:
            return NotImplemented
        return remote.peer.apply_operator(self, name, arguments, keywords)

    method.__name__ = method.__qualname__ = f"__{name}__"
    return method


FORWARDERS = {name: make_forwarder(name) for name in OPERATOR_OF_METHOD.values()}
assert REFLECTED_OPERATORS <= FORWARDERS.keys()


class CoroutineProxy(Proxy):
    """The proxy of a coroutine or another awaitable, which runs to completion in the other process when it is awaited here."""

    def send(self, value: Any) -> Any:
        raise StopIteration(_await_result(self))

    def throw(self, *error: Any) -> Any:
        raise error[0]

    def close(self) -> None:
        """Do nothing: nothing runs in this process."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("send", "throw", "close"):
            return types.MethodType(CoroutineProxy.__dict__[name], self)
        return Proxy.__getattribute__(self, name)

    def __await__(self) -> Any:
        return _await_result(self)
        yield  # makes this a generator, as `__await__` must be


def _await_result(value: Any) -> Any:
    remote = find_remote_reference(value)
    assert remote is not None
    return remote.peer.await_result(value)
