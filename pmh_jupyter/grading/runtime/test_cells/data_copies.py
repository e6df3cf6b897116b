"""Copies data in the student process, as a separate process would receive it, and finds the objects in it that are not data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pmh_jupyter.grading.runtime.marshalling.codec import Codec
from pmh_jupyter.grading.runtime.marshalling.conversion import convert, has_plain_base
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

_OBJECT = "object"  # the tag of a value that is not data


def copy_data(value: Any, may_convert: Callable[[type], bool]) -> tuple[Any, list[Any]]:
    """Return a copy of a value, and the objects in it that are not data. The copy contains these objects themselves.

    may_convert: whether values of a class that derives from a plain type become that type. A value that cannot be copied is an object.
    """
    objects: list[Any] = []

    def to_reference(item: Any) -> list[Any]:
        if has_plain_base(type(item)) and may_convert(type(item)):
            encoded: list[Any] = codec.encode(convert(item))
            return encoded
        objects.append(item)
        return [_OBJECT, len(objects) - 1]

    codec = Codec(to_reference, lambda encoded: objects[encoded[1]])
    try:
        return codec.decode(codec.encode(value)), objects
    except Exception:  # noqa: BLE001 - too large, too deep, or a method of a library fails for an object that the student's code has damaged
        return value, [value]
