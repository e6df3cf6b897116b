"""Stand-ins: objects and classes here that pass on what is done to them to the other side.

An instance's stand-in is an instance of a mirrored class (see `mirrors.py`), so that `isinstance`, `except` and `type(x) is C`
need nobody's word. What it is, and where, lies in the attribute `_pmh` (a `Handle`); of a class in `_pmh_class`.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from . import library
from .describe import VALUES
from .handles import Handle
from .operators import METHODS, REFLECTED
from .own import BUILTINS

__builtins__ = BUILTINS

# Attributes with two underscores that are asked for over there; all others are those of the stand-in itself.
_DESCRIBING = frozenset(
    """__dict__ __doc__ __module__ __name__ __qualname__ __annotations__ __defaults__ __kwdefaults__ __code__ __func__
    __self__ __wrapped__ __closure__ __globals__ __signature__ __init__ __slots__ __dataclass_fields__ __members__
    __match_args__ __file__ __version__ __all__ __path__ __post_init__ __new__ __call__ __cause__ __context__ __notes__
    __annotate__ __type_params__ __set_name__ __missing__ __getattr__ __setattr__ __delattr__ __getattribute__ __get__ __set__
    __delete__ __objclass__ __origin__ __args__ __parameters__ __value__ __init_subclass__
    __class_getitem__ __abstractmethods__ __isabstractmethod__ __subclasses__""".split(),
)
_OF_CLASSES = _DESCRIBING - {"__name__", "__qualname__", "__subclasses__"}
_OF_EXCEPTIONS = frozenset({"__cause__", "__context__", "__notes__"})


def is_remote(name: str) -> bool:
    """Whether this attribute of a stand-in is the other side's."""
    if name.startswith("__") and name.endswith("__"):
        return name in _DESCRIBING or name in METHODS
    return name not in ("_pmh", "_pmh_class")


def handle_of(value: Any) -> Handle | None:
    """The handle of an instance's stand-in; None for everything else, and for what has no object over there."""
    if not isinstance(type(value), MirrorType):
        return None
    try:
        handle: Handle = object.__getattribute__(value, "_pmh")
    except AttributeError:
        return None
    return handle


def is_stand_in(value: Any) -> bool:
    """Whether this object or class is the other side's."""
    return type(value) is MirrorType or handle_of(value) is not None


def mirror_number(kind: Any) -> tuple[Any, int] | None:
    """The peer and the number of a mirrored class; None for everything else."""
    if type(kind) is not MirrorType:
        return None
    found: tuple[Any, int] | None = type.__getattribute__(kind, "_pmh_class")[:2]
    return found


def shown_class(value: Any) -> type:
    """What `type(value)` says in-process: for a library's object that stayed over there, the library's class, if it is loaded."""
    kind = type(value)
    if type(kind) is not MirrorType:
        return kind
    return type.__getattribute__(kind, "_pmh_class")[2] or _library_class(kind) or kind


def _library_class(kind: type) -> type | None:
    reference = type.__getattribute__(kind, "_pmh_library")
    if reference is None:
        return None
    found = library.find_loaded(*reference)
    return found if isinstance(found, type) else None


class MirrorType(type):
    """The type of mirrored classes, each the stand-in of a class of the other side."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> MirrorType:
        if "_pmh_class" not in body:
            raise TypeError("a class of a test cell cannot derive from a class that the notebook defines")
        return type.__new__(cls, name, bases, body)

    def mro(cls) -> list[type]:
        """A class whose library's class says what kind of class it is (Enum, ABC) derives from that one too."""
        order = type.mro(cls)
        kind = type.__getattribute__(cls, "__dict__").get("_pmh_kind")
        if kind is None:
            return order
        # One that holds a value itself (IntEnum) has a layout that nothing else can have.
        return [
            *order[:-1],
            *(part for part in kind.__mro__ if part not in order and not issubclass(part, VALUES)),
            object,
        ]

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        return _peer(cls).call(cls, arguments, named)

    def __getattribute__(cls, name: str) -> Any:
        if name in ("__mro__", "__bases__"):
            return tuple(
                object if part is Proxy else part for part in type.__getattribute__(cls, name) if _shown(part, name)
            )
        if name in ("_pmh_class", "_pmh_library"):
            raise AttributeError(name)
        if is_remote(name) and (name in _OF_CLASSES or not name.startswith("__") or name in METHODS) and name != "mro":
            return _peer(cls).get(cls, name)
        return type.__getattribute__(cls, name)

    def __setattr__(cls, name: str, value: Any) -> None:
        if name.startswith("__") and name.endswith("__") and name not in METHODS:
            type.__setattr__(cls, name, value)
        else:
            _peer(cls).set(cls, name, value)

    def __delattr__(cls, name: str) -> None:
        _peer(cls).delete(cls, name)

    def __dir__(cls) -> list[str]:
        names: list[str] = _peer(cls).names(cls)
        return names

    def __iter__(cls) -> Any:
        return _peer(cls).operate(cls, "iter", (), {})

    def __len__(cls) -> Any:
        return _peer(cls).operate(cls, "len", (), {})

    def __getitem__(cls, key: Any) -> Any:
        return _peer(cls).operate(cls, "getitem", (key,), {})

    def __contains__(cls, item: Any) -> Any:
        return _peer(cls).operate(cls, "contains", (item,), {})

    def __instancecheck__(cls, value: Any) -> bool:
        if type.__instancecheck__(cls, value):
            return True
        return is_stand_in(value) and _peer(cls).vouches(cls, "instancecheck", value)

    def __subclasscheck__(cls, kind: type) -> bool:
        if type.__subclasscheck__(cls, kind):
            return True
        return type(kind) is MirrorType and _peer(cls).vouches(cls, "subclasscheck", kind)

    def __bool__(cls) -> bool:
        return True

    def __repr__(cls) -> str:
        return f"<class '__main__.{type.__getattribute__(cls, '__qualname__')}'>"


def _shown(part: type, name: str) -> bool:
    return part is not Proxy or name == "__bases__"


def _peer(cls: MirrorType) -> Peer:
    return type.__getattribute__(cls, "_pmh_class")[0]


class Proxy:
    """What every mirrored class derives from. It has no name of its own that an object over there could have."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return shown_class(self)
        handle = handle_of(self) if is_remote(name) else None
        if handle is None or (name in _OF_EXCEPTIONS and isinstance(self, BaseException)):
            return object.__getattribute__(self, name)
        return handle.peer.get(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        handle = handle_of(self)
        if handle is None or (name.startswith("__") and isinstance(self, BaseException)):
            object.__setattr__(self, name, value)
        else:
            handle.peer.set(self, name, value)

    def __delattr__(self, name: str) -> None:
        handle = handle_of(self)
        if handle is not None:
            handle.peer.delete(self, name)

    def __dir__(self) -> list[str]:
        handle = handle_of(self)
        return [] if handle is None else handle.peer.names(self)

    def __repr__(self) -> str:
        return _text(self, "repr")

    def __str__(self) -> str:
        return _text(self, "str")

    def __format__(self, form: str) -> str:
        return _text(self, "format", form)

    def __copy__(self) -> Any:
        handle = handle_of(self)
        return self if handle is None else handle.peer.copy(self, False)

    def __deepcopy__(self, memo: Any) -> Any:
        handle = handle_of(self)
        return self if handle is None else handle.peer.copy(self, True)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("an object of the student's cannot be pickled here")


def _text(value: Any, name: str, *arguments: str) -> str:
    handle = handle_of(value)
    if handle is None:
        return f"<{type.__getattribute__(type(value), '__name__')}>"
    text = handle.peer.operate(value, name, arguments, {})
    if type(text) is not str:
        raise TypeError(f"__{name}__ returned no string")
    return text


def forwarder(name: str) -> Callable[..., Any]:
    """The method of a mirrored class that passes this operator on."""

    def method(self: Any, /, *arguments: Any, **named: Any) -> Any:
        handle = handle_of(self)
        if handle is None:
            return NotImplemented
        return handle.peer.operate(self, name, arguments, named)

    method.__name__ = method.__qualname__ = f"__{name}__"
    return method


FORWARDERS = {name: forwarder(name) for name in METHODS.values()}
assert REFLECTED <= FORWARDERS.keys()


class CoroutineProxy(Proxy):
    """The stand-in of a coroutine or another awaitable: run to its end over there, at one go, when it is awaited here."""

    def send(self, value: Any) -> Any:
        raise StopIteration(_finish(self))

    def throw(self, *error: Any) -> Any:
        raise error[0]

    def close(self) -> None:
        """Nothing runs here."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("send", "throw", "close"):
            return types.MethodType(CoroutineProxy.__dict__[name], self)
        return Proxy.__getattribute__(self, name)

    def __await__(self) -> Any:
        return _finish(self)
        yield  # a generator, which the language demands


def _finish(value: Any) -> Any:
    handle = handle_of(value)
    assert handle is not None
    return handle.peer.finish(value)


from .peer import Peer  # RENAME-ONLY
