"""Exceptions on their way across: Python's own by value, all others as stand-ins of a mirrored class."""

from __future__ import annotations

from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError

__builtins__ = BUILTINS

BUILTIN_EXCEPTIONS = {
    name: kind for name, kind in BUILTINS.items() if isinstance(kind, type) and issubclass(kind, Exception)
} | {"ExceptionGroup": ExceptionGroup}
LOCATION_ATTRIBUTE = "_pmh_location"
TAG = "exc"
_MAX_NOTES = 100


def _make_exception_class(name: str, *bases: type[BaseException]) -> type[Exception]:
    return type(name, (*bases, Exception), {"__module__": "builtins"})


# Nothing that a student's code raises may be taken for an order to the judge: each is an ordinary exception here, and SystemExit,
# which a test may await, is both.
_CONTROL_EXCEPTIONS: dict[str, type[BaseException]] = {
    "KeyboardInterrupt": _make_exception_class("KeyboardInterrupt"),
    "GeneratorExit": _make_exception_class("GeneratorExit"),
    "CancelledError": _make_exception_class("CancelledError"),
    "BaseException": _make_exception_class("BaseException"),
    "SystemExit": _make_exception_class("SystemExit", SystemExit),
}


def crosses_by_value(error: BaseException) -> bool:
    """Whether this exception goes by value: exactly a class of Python's, or one that ends programs."""
    return BUILTIN_EXCEPTIONS.get(type(error).__name__) is type(error) or not isinstance(error, Exception)


def exception_fields(error: BaseException) -> list[Any]:
    """Tag, name, and the values that go with it: arguments, attributes, notes, cause. To be encoded by the caller."""
    kind = type(error)
    names = [
        base.__name__
        for base in kind.__mro__
        if base.__name__ in BUILTIN_EXCEPTIONS or base.__name__ in _CONTROL_EXCEPTIONS
    ]
    attributes = {name: value for name, value in vars(error).items() if type(name) is str and not name.startswith("_")}
    notes = vars(error).get("__notes__")
    note_texts = tuple(note for note in notes[:_MAX_NOTES] if type(note) is str) if type(notes) is list else ()
    return [TAG, names[0], (tuple(error.args), attributes, note_texts, error.__cause__)]


def read_exception(name: Any, values: Any) -> BaseException:
    """The exception of a form whose values were decoded. Raises BadForm."""
    kind = (BUILTIN_EXCEPTIONS.get(name) or _CONTROL_EXCEPTIONS.get(name)) if type(name) is str else None
    if kind is None or type(values) is not tuple or len(values) != 4:
        raise WireFormatError("This is no exception.")
    arguments, attributes, notes, cause = values
    if type(arguments) is not tuple or type(attributes) is not dict or type(notes) is not tuple:
        raise WireFormatError("This is no exception.")
    error = make_exception(kind, arguments)
    for attribute, value in attributes.items():
        if type(attribute) is str and not attribute.startswith("_"):
            error.__dict__[attribute] = value
    for note in notes:
        error.add_note(note)
    if isinstance(cause, BaseException):
        error.__cause__ = cause
    return error


def make_exception(kind: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    """An exception with these arguments, whether or not its class likes them."""
    try:
        return kind(*arguments)
    except Exception:  # noqa: BLE001 - the arguments may be anything
        error = Exception(*arguments)
        error.__class__ = _make_exception_class(kind.__name__)
        return error


def make_blank_exception(kind: type) -> Any:
    """An instance of a mirrored exception, made without running a constructor of its class."""
    base: Any = next(
        base for base in type.__getattribute__(kind, "__mro__") if BUILTIN_EXCEPTIONS.get(base.__name__) is base
    )
    if base is ExceptionGroup:
        return base.__new__(kind, "", [Exception()])
    return base.__new__(kind)


def location_of(error: BaseException) -> tuple[int, int] | None:
    """Cell and line in the student's notebook where this came from, if the other side said so."""
    location = BaseException.__getattribute__(error, "__dict__").get(LOCATION_ATTRIBUTE)
    return location if type(location) is tuple else None


def set_location(error: BaseException, cell: Any, line: Any) -> None:
    """Notes where in the student's notebook an exception came from."""
    if type(cell) is int and type(line) is int:
        BaseException.__getattribute__(error, "__dict__")[LOCATION_ATTRIBUTE] = (cell, line)
