"""Exceptions on their way across: Python's own by value, all others as stand-ins of a mirrored class."""

from __future__ import annotations

from typing import Any

from .forms import BadForm
from .own import BUILTINS

__builtins__ = BUILTINS

OWN = {name: kind for name, kind in BUILTINS.items() if isinstance(kind, type) and issubclass(kind, Exception)} | {
    "ExceptionGroup": ExceptionGroup
}
PLACE = "_pmh_place"
TAG = "exc"
_MOST_NOTES = 100


def _named(name: str, *bases: type[BaseException]) -> type[Exception]:
    return type(name, (*bases, Exception), {"__module__": "builtins"})


# Nothing that a student's code raises may be taken for an order to the judge: each is an ordinary exception here, and SystemExit,
# which a test may await, is both.
_STOPS: dict[str, type[BaseException]] = {
    "KeyboardInterrupt": _named("KeyboardInterrupt"),
    "GeneratorExit": _named("GeneratorExit"),
    "CancelledError": _named("CancelledError"),
    "BaseException": _named("BaseException"),
    "SystemExit": _named("SystemExit", SystemExit),
}


def is_own(error: BaseException) -> bool:
    """Whether this exception goes by value: exactly a class of Python's, or one that ends programs."""
    return OWN.get(type(error).__name__) is type(error) or not isinstance(error, Exception)


def form_of(error: BaseException) -> list[Any]:
    """Tag, name, and the values that go with it: arguments, attributes, notes, cause. To be encoded by the caller."""
    kind = type(error)
    names = [base.__name__ for base in kind.__mro__ if base.__name__ in OWN or base.__name__ in _STOPS]
    attributes = {name: value for name, value in vars(error).items() if type(name) is str and not name.startswith("_")}
    notes = vars(error).get("__notes__")
    words = tuple(note for note in notes[:_MOST_NOTES] if type(note) is str) if type(notes) is list else ()
    return [TAG, names[0], (tuple(error.args), attributes, words, error.__cause__)]


def read(name: Any, values: Any) -> BaseException:
    """The exception of a form whose values were decoded. Raises BadForm."""
    kind = (OWN.get(name) or _STOPS.get(name)) if type(name) is str else None
    if kind is None or type(values) is not tuple or len(values) != 4:
        raise BadForm("This is no exception.")
    arguments, attributes, notes, cause = values
    if type(arguments) is not tuple or type(attributes) is not dict or type(notes) is not tuple:
        raise BadForm("This is no exception.")
    error = make(kind, arguments)
    for attribute, value in attributes.items():
        if type(attribute) is str and not attribute.startswith("_"):
            error.__dict__[attribute] = value
    for note in notes:
        error.add_note(note)
    if isinstance(cause, BaseException):
        error.__cause__ = cause
    return error


def make(kind: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    """An exception with these arguments, whether or not its class likes them."""
    try:
        return kind(*arguments)
    except Exception:  # noqa: BLE001 - the arguments may be anything
        error = Exception(*arguments)
        error.__class__ = _named(kind.__name__)
        return error


def blank(kind: type) -> Any:
    """An instance of a mirrored exception, made without running a constructor of its class."""
    base: Any = next(base for base in type.__getattribute__(kind, "__mro__") if OWN.get(base.__name__) is base)
    if base is ExceptionGroup:
        return base.__new__(kind, "", [Exception()])
    return base.__new__(kind)


def place_of(error: BaseException) -> tuple[int, int] | None:
    """Cell and line in the student's notebook where this came from, if the other side said so."""
    place = BaseException.__getattribute__(error, "__dict__").get(PLACE)
    return place if type(place) is tuple else None


def put_place(error: BaseException, cell: Any, line: Any) -> None:
    """Notes where in the student's notebook an exception came from."""
    if type(cell) is int and type(line) is int:
        BaseException.__getattribute__(error, "__dict__")[PLACE] = (cell, line)
