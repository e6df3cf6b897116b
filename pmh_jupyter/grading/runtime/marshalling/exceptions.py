"""Encodes and decodes exceptions: built-in ones by value, all others as proxies of a proxy class."""

from __future__ import annotations

from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError

__builtins__ = BUILTINS

BUILTIN_EXCEPTIONS = {
    name: cls for name, cls in BUILTINS.items() if isinstance(cls, type) and issubclass(cls, Exception)
}
LOCATION_ATTRIBUTE = "_pmh_location"
TAG = "exc"
_MAX_NOTES = 100


def _make_exception_class(name: str, *bases: type[BaseException]) -> type[Exception]:
    return type(name, (*bases, Exception), {"__module__": "builtins"})


# An exception of the student's code must not interrupt the judge: each of these arrives as an ordinary exception. A test may expect
# SystemExit, which is therefore both.
_STAND_INS: dict[str, type[BaseException]] = {
    "KeyboardInterrupt": _make_exception_class("KeyboardInterrupt"),
    "GeneratorExit": _make_exception_class("GeneratorExit"),
    "CancelledError": _make_exception_class("CancelledError"),
    "BaseException": _make_exception_class("BaseException"),
    "SystemExit": _make_exception_class("SystemExit", SystemExit),
}


def is_sent_by_value(error: BaseException) -> bool:
    """Return whether this exception is encoded by value: a built-in exception itself, or one that ends programs."""
    return BUILTIN_EXCEPTIONS.get(type(error).__name__) is type(error) or not isinstance(error, Exception)


def encode_exception_fields(error: BaseException) -> list[Any]:
    """Return the tag, the name, and the values (arguments, attributes, notes, cause), which the caller encodes."""
    cls = type(error)
    names = [
        base.__name__ for base in cls.__mro__ if base.__name__ in BUILTIN_EXCEPTIONS or base.__name__ in _STAND_INS
    ]
    attributes = {name: value for name, value in vars(error).items() if type(name) is str and not name.startswith("_")}
    notes = vars(error).get("__notes__")
    note_texts = tuple(note for note in notes[:_MAX_NOTES] if type(note) is str) if type(notes) is list else ()
    return [TAG, names[0], (tuple(error.args), attributes, note_texts, error.__cause__)]


def read_exception(name: Any, values: Any) -> BaseException:
    """Create the exception from decoded values. Raises `WireFormatError`."""
    cls = (BUILTIN_EXCEPTIONS.get(name) or _STAND_INS.get(name)) if type(name) is str else None
    if cls is None or type(values) is not tuple or len(values) != 4:
        raise WireFormatError("This is not an exception.")
    arguments, attributes, notes, cause = values
    if type(arguments) is not tuple or type(attributes) is not dict or type(notes) is not tuple:
        raise WireFormatError("This is not an exception.")
    error = make_exception(cls, arguments)
    for attribute, value in attributes.items():
        if type(attribute) is str and not attribute.startswith("_"):
            error.__dict__[attribute] = value
    for note in notes:
        error.add_note(note)
    if isinstance(cause, BaseException):
        error.__cause__ = cause
    return error


def make_exception(cls: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    """Create an exception with these arguments, even if its constructor rejects them."""
    try:
        return cls(*arguments)
    except Exception:  # noqa: BLE001 - the arguments may be anything
        error = Exception(*arguments)
        error.__class__ = _make_exception_class(cls.__name__)
        return error


def make_blank_exception(cls: type) -> Any:
    """Create an instance of an exception's proxy class without running a constructor of the class."""
    base: Any = next(
        base for base in type.__getattribute__(cls, "__mro__") if BUILTIN_EXCEPTIONS.get(base.__name__) is base
    )
    if base is ExceptionGroup:
        return base.__new__(cls, "", [Exception()])
    return base.__new__(cls)


def get_location(error: BaseException) -> tuple[int, int] | None:
    """Return the cell and line of the student's notebook that raised this exception, if the student process reported them."""
    location = BaseException.__getattribute__(error, "__dict__").get(LOCATION_ATTRIBUTE)
    return location if type(location) is tuple else None


def set_location(error: BaseException, cell: Any, line: Any) -> None:
    """Record the cell and line of the student's notebook that raised this exception."""
    if type(cell) is int and type(line) is int:
        BaseException.__getattribute__(error, "__dict__")[LOCATION_ATTRIBUTE] = (cell, line)
