"""Signatures cross by their parts, so that `inspect.signature` gives a real one."""

from __future__ import annotations

import inspect
from typing import Any

from .own import BUILTINS

__builtins__ = BUILTINS

_EMPTY = inspect.Parameter.empty


def parts_of(function: Any) -> tuple[Any, ...]:
    """Of each parameter its name, kind, default and annotation (in a tuple of one, or empty), then the return annotation."""
    signature = inspect.signature(function)
    parameters = tuple(
        (each.name, int(each.kind), _maybe(each.default), _maybe(each.annotation))
        for each in signature.parameters.values()
    )
    return parameters, _maybe(signature.return_annotation)


def signature_of(parts: Any) -> inspect.Signature:
    """The signature of these parts. Raises ValueError or TypeError for what makes none."""
    parameters, returned = parts
    made = [
        inspect.Parameter(
            name, inspect._ParameterKind(kind), default=_certainly(default), annotation=_certainly(annotation)
        )
        for name, kind, default, annotation in parameters
    ]
    return inspect.Signature(made, return_annotation=_certainly(returned))


def _maybe(value: Any) -> tuple[Any, ...]:
    return () if value is _EMPTY else (value,)


def _certainly(value: Any) -> Any:
    return value[0] if value else _EMPTY
