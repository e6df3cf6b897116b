"""Checks what the student process requests of the judge: the ordinary use of an object that a test has passed to it, and nothing else.

Through the `__globals__` of a function, the frame of a generator or the traceback of an exception, it could read everything in the judge.
"""

from __future__ import annotations

import types
from typing import Any

from pmh_jupyter.grading.runtime.proxies.object_table import ObjectTable
from pmh_jupyter.grading.runtime.proxies.operators import OPERATORS

_NAME_ATTRIBUTES = ("__name__", "__qualname__", "__doc__")
_OPAQUE_TYPES = (
    *(type, types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType, types.CodeType),
    *(types.FrameType, types.TracebackType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType),
    *(types.MethodWrapperType, types.WrapperDescriptorType, types.CellType, classmethod, staticmethod, property),
)
_GENERATOR_METHODS = ("send", "throw", "close")


def check_request(operation: Any, arguments: Any, exported_objects: ObjectTable) -> None:
    """Raises PermissionError for a request that is not allowed, and AttributeError for an attribute that is withheld."""
    if (
        type(operation) is not str
        or operation not in ("call", "apply-operator", "get-attribute")
        or type(arguments) is not tuple
    ):
        raise PermissionError("this request is not allowed")
    if not arguments or not exported_objects.is_offered(arguments[0]):
        raise PermissionError("only objects that a test has passed may be used")
    target, *rest = arguments
    if operation == "get-attribute":
        _check_attribute(target, *rest)
    elif operation == "apply-operator":
        if len(rest) != 4 or type(rest[0]) is not str or rest[0] not in OPERATORS or issubclass(type(target), type):
            raise PermissionError("this operator is not allowed")
    elif len(rest) != 3 or issubclass(type(target), types.ModuleType):
        raise PermissionError("this object may not be called")


def _check_attribute(target: Any, *rest: Any) -> None:
    if len(rest) != 1 or type(rest[0]) is not str:
        raise PermissionError("this request is not allowed")
    name = rest[0]
    kind = type(target)
    if name in _NAME_ATTRIBUTES and kind in _OPAQUE_TYPES:
        return
    if kind is types.GeneratorType and name in _GENERATOR_METHODS:
        return
    if name.startswith("_") or issubclass(kind, _OPAQUE_TYPES):
        raise AttributeError(name)
