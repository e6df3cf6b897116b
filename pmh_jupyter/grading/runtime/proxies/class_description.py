"""Describes a class for the other process: its name, its bases, and the operators that its instances have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pmh_jupyter.grading.runtime.marshalling import conversion
from pmh_jupyter.grading.runtime.proxies import importable_objects
from pmh_jupyter.grading.runtime.proxies.operators import OPERATOR_OF_METHOD
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

# If an object's class derives from one of these, its proxy contains the value. Only the methods of the class itself are remote.
VALUE_TYPES = tuple(conversion.PLAIN_VALUE_FUNCTIONS)
# A class that derives from a class of one of these modules has its operators, which the description of the derived class includes.
_DATA_MODULES = ("numpy", "pandas", "collections", "datetime", "decimal", "fractions", "types")
MUTABLE_CONTAINERS = (list, dict, set, bytearray)
_MAX_NAME_CHARS = 200


def describe_class(cls: type, encode_base: Callable[[type], list[Any]]) -> list[Any]:
    """Return the description of a class.

    It contains name, qualified name, import path or None, encoded bases, operators, operators that the class sets to None, and whether it
    has a plain base (see `conversion`).

    A library class is described as a whole: of its bases, only the nearest built-in exception or plain type is included. A class that
    derives from one of NumPy or pandas is described with the operators of that class, because the other process may not have loaded the
    library.
    """
    import_path = importable_objects.find_import_path(cls) or importable_objects.find_allowed_import_path(cls)
    if import_path is None:
        direct_bases = [base for base in type.__dict__["__bases__"].__get__(cls) if base is not object]
        library_bases = [
            base
            for base in direct_bases
            if (importable_objects.find_allowed_import_path(base) or ("",))[0] in _DATA_MODULES
        ]
        bases = [encode_base(base) for base in direct_bases if base not in library_bases]
        bases += [encode_base(plain) for base in library_bases for plain in _find_plain_bases(base)]
        classes: tuple[type, ...] = (
            cls,
            *(part for base in library_bases for part in _get_mro(base) if part is not object),
        )
    else:
        bases = [encode_base(base) for base in _find_plain_bases(cls)]
        classes = tuple(part for part in _get_mro(cls) if part is not object)
    operators, removed_operators = _find_operators(classes)
    name, qualname = type.__dict__["__name__"].__get__(cls), type.__dict__["__qualname__"].__get__(cls)
    return [
        name[:_MAX_NAME_CHARS],
        qualname[:_MAX_NAME_CHARS],
        list(import_path) if import_path else None,
        bases,
        operators,
        removed_operators,
        conversion.has_plain_base(cls),
    ]


def _get_mro(cls: type) -> tuple[type, ...]:
    mro: tuple[type, ...] = type.__dict__["__mro__"].__get__(cls)
    return mro


def _find_plain_bases(cls: type) -> list[type]:
    plain_bases = (*VALUE_TYPES, *MUTABLE_CONTAINERS, BaseException)
    return [
        part
        for part in _get_mro(cls)[1:]
        if part.__module__ == "builtins" and any(issubclass(part, base) for base in plain_bases)
    ][:1]


def _find_operators(classes: tuple[type, ...]) -> tuple[list[str], list[str]]:
    """Return the operators that these classes define, and those that they set to None. The first class in order decides."""
    operators: list[str] = []
    removed_operators: list[str] = []
    for part in classes:
        attributes = type.__dict__["__dict__"].__get__(part)
        for method in attributes:
            name = OPERATOR_OF_METHOD.get(method) if type(method) is str else None
            if name is not None and name not in operators and name not in removed_operators:
                (removed_operators if attributes[method] is None else operators).append(name)
    return operators, removed_operators
