"""The entries of a contract: what the tests of a release do with the reference, each with its place in the source of the tests.

An entry is a string: the place, the use, and its details. `2:7-2:20 operator eq with-data` is `==` between an object and data at line 2,
columns 7 to 20, of the test cell. The place of a value that is counted is only the start of its node, `2:7`, or `~2:7` if the values are
open: a right answer may compare fewer values there than the reference, but at least one (see `iterations`). Code outside of the test cell
has its origin in front (see `code_filenames.describe_origin`).
"""

from __future__ import annotations

from enum import StrEnum

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

_OPEN_PREFIX = "~"


class Use(StrEnum):
    """An operation on a value of the notebook, or a kind of received value."""

    # The name of the attribute follows.
    GET_ATTRIBUTE = "attribute"
    # The name of the operator and a `ClaimDetail` follow.
    OPERATOR = "operator"
    CLASS_NAME = "class-name"
    # The test received an object of one of the notebook's own classes. Where the reference returned only data, a value of a subclass of
    # a plain type is converted to that type.
    RECEIVE_OBJECT = "receive-object"
    # The test compared an object that it had constructed at this place with an equal one.
    COMPARE_CONSTRUCTED = "compare-constructed"
    # The test got back one of its own objects, for example a mock that it had passed.
    RECEIVE_OWN = "receive-own"
    # A request raised an exception, so the reference shows no use of an object received at this place. Only there may a call raise
    # StopIteration, with which Python ends a loop silently.
    RAISE = "raise"
    # The test received an empty or false value. An empty array broadcasts, and a comparison of all its elements is true.
    RECEIVE_EMPTY = "receive-empty"
    # The test received a half-precision number. Elsewhere it is widened, because a comparison rounds the other number to 0 or infinity.
    RECEIVE_HALF = "receive-half"
    # The student's code changed a value that the test passed, for example sorted a list in place.
    CHANGE_ARGUMENT = "change-argument"
    # The notebook set an attribute on a function of the test, for example `f.calls = 0` in a decorator that returns `f`. Its name follows.
    SET_ON_FUNCTION = "set-on-function"
    # The notebook's code saw an assertion of the test fail, for example in a callback.
    SEE_FAILURE = "see-failure"
    # A statement compared values. Its position and their number follow.
    COMPARE = "compare"
    # A value that a statement compared was not a number. The position of the statement follows.
    COMPARE_NAN = "compare-nan"


class ClaimDetail(StrEnum):
    """What an operator's entry says about the objects of the reference."""

    # The other operand was data.
    WITH_DATA = "with-data"
    # The object equals some objects of its class in the test cell, and not others.
    DISTINGUISHES = "distinguishes"
    # The object lacks a property that is otherwise verified; a `ClaimProperty` follows.
    LACKS = "lacks"


class ClaimProperty(StrEnum):
    """A property of an honest object's claims (see `claims`). The reference may lack it: numbers modulo seven equal every seventh one."""

    DENIES_SIMILAR_VALUES = "denies-similar-values"
    DENIES_UNIQUE_VALUE = "denies-unique-value"
    REPEATABLE = "repeatable"
    CONSTANT_TRUTH = "constant-truth"
    CONTRADICTS_OPPOSITE = "contradicts-opposite"
    SYMMETRIC = "symmetric"
    SELECTIVE = "selective"
    ANTISYMMETRIC = "antisymmetric"
    MIRRORED = "mirrored"
    TOTAL = "total"


def format_entry(place: str, use: str, *details: str) -> str:
    """Return an entry as it is stored."""
    return " ".join((place, use, *details))


def parse_entry(entry: str) -> tuple[str, str, list[str]]:
    """Return the place, the use and the details of a stored entry."""
    place, use, *details = entry.split(" ")
    return place, use, details


def format_place(line: int | None, column: int | None, end_line: int | None, end_column: int | None) -> str:
    """Return the place of a node of the syntax tree. Code without positions has one place only."""
    return f"{line}:{column}-{end_line}:{end_column}"


def format_counted_place(line: int, column: int, *, is_open: bool) -> str:
    """Return the place of a node at which values are counted."""
    return f"{_OPEN_PREFIX if is_open else ''}{line}:{column}"


def is_open_place(place: str) -> bool:
    """Return whether a right answer may compare fewer values at this place than the reference."""
    return place.startswith(_OPEN_PREFIX)
