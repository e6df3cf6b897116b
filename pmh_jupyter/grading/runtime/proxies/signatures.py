"""Sends signatures as plain values, so that `inspect.signature` of a proxy returns a real one."""

from __future__ import annotations

import inspect
from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

_EMPTY = inspect.Parameter.empty


def describe_signature(function: Any) -> tuple[Any, ...]:
    """Return (name, kind, default, annotation) of each parameter, and the return annotation.

    Defaults and annotations are in a tuple of one, or an empty one.
    """
    signature = inspect.signature(function)
    parameters = tuple(
        (parameter.name, int(parameter.kind), _pack_optional(parameter.default), _pack_optional(parameter.annotation))
        for parameter in signature.parameters.values()
    )
    return parameters, _pack_optional(signature.return_annotation)


def build_signature(parts: Any) -> inspect.Signature:
    """Build the signature from untrusted parts. Raises ValueError, TypeError or IndexError for malformed ones."""
    parameters, return_annotation = parts
    signature_parameters = [
        inspect.Parameter(
            name,
            inspect._ParameterKind(kind),
            default=_unpack_optional(default),
            annotation=_unpack_optional(annotation),
        )
        for name, kind, default, annotation in parameters
    ]
    return inspect.Signature(signature_parameters, return_annotation=_unpack_optional(return_annotation))


def _pack_optional(value: Any) -> tuple[Any, ...]:
    return () if value is _EMPTY else (value,)


def _unpack_optional(value: Any) -> Any:
    return value[0] if value else _EMPTY
