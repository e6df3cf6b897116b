"""Describes a function of a test for the notebook: what `inspect`, `typing` and decorators read of a function, and nothing else.

The student process builds a function from the description. It has the same signature, names and annotations, but no code, constants,
globals or closure of the test, and cannot be called. Defaults that are not plain data are replaced.
"""

from __future__ import annotations

import functools
import inspect
import operator
import types
import typing
from contextlib import suppress
from typing import Any

from pmh_jupyter.grading.runtime.marshalling.plain_data import NotPlainData, copy_plain_data
from pmh_jupyter.grading.runtime.proxies import importable_objects
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

# Attributes of a test's function that the notebook reads from the built function.
DESCRIBED_ATTRIBUTES = frozenset(
    """__name__ __qualname__ __doc__ __module__ __annotations__ __defaults__ __kwdefaults__ __code__ __wrapped__
    __type_params__""".split()
)
_SHOWN_FLAGS = (
    *(inspect.CO_OPTIMIZED, inspect.CO_NEWLOCALS, inspect.CO_VARARGS, inspect.CO_VARKEYWORDS, inspect.CO_GENERATOR),
    *(inspect.CO_COROUTINE, inspect.CO_ITERABLE_COROUTINE, inspect.CO_ASYNC_GENERATOR),
)
_MAX_DEPTH = 20
_DATA, _ALIAS, _TYPING_ALIAS, _UNION, _LIST, _HIDDEN = "data", "alias", "typing", "union", "list", "hidden"


class _HiddenDefault:
    """Stands for a default that is not plain data."""

    def __repr__(self) -> str:
        return "<object of the test>"


_HIDDEN_DEFAULT = _HiddenDefault()


def _find_function(value: Any) -> types.FunctionType | None:
    """Return the function of a function or a method, or None for any other object."""
    function = value.__func__ if type(value) is types.MethodType else value
    return function if type(function) is types.FunctionType else None


def describe_function(value: Any, depth: int = 0) -> tuple[Any, ...]:
    """Return (names, argument names, numbers of arguments, flags, defaults, keyword defaults, annotations, wrapped function).

    Raises AttributeError for an object that is neither a function nor a method.
    """
    function = _find_function(value)
    if function is None:
        raise AttributeError("this object is not a function")
    code = function.__code__
    flags = sum(flag for flag in _SHOWN_FLAGS if code.co_flags & flag)
    count = (
        code.co_argcount
        + code.co_kwonlyargcount
        + sum(bool(flags & flag) for flag in (inspect.CO_VARARGS, inspect.CO_VARKEYWORDS))
    )
    wrapped = _find_function(function.__dict__.get("__wrapped__"))
    doc = function.__doc__
    return (
        (function.__name__, function.__qualname__, code.co_name, doc if type(doc) is str else None),
        code.co_varnames[:count],
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        flags,
        None if function.__defaults__ is None else tuple(map(_pack_value, function.__defaults__)),
        None if function.__kwdefaults__ is None else _pack_items(function.__kwdefaults__, _pack_value),
        _pack_items(function.__annotations__, _pack_annotation),
        None if wrapped is None or depth >= _MAX_DEPTH else describe_function(wrapped, depth + 1),
    )


def build_function(description: tuple[Any, ...]) -> types.FunctionType:
    """Return a function with this description, which raises PermissionError when it is called."""
    (
        (name, qualname, code_name, doc),
        argument_names,
        counts,
        flags,
        defaults,
        keyword_defaults,
        annotations,
        wrapped,
    ) = description
    argument_count, positional_only_count, keyword_only_count = counts
    code = _refuse_call.__code__.replace(
        co_name=code_name,
        co_qualname=qualname,
        co_filename="<test>",
        co_argcount=argument_count,
        co_posonlyargcount=positional_only_count,
        co_kwonlyargcount=keyword_only_count,
        co_varnames=argument_names,
        co_nlocals=len(argument_names),
        co_flags=flags,
    )
    function = types.FunctionType(code, {"__name__": "__main__"}, name)
    function.__qualname__, function.__doc__ = qualname, doc
    function.__defaults__ = None if defaults is None else tuple(map(_unpack, defaults))
    if keyword_defaults is not None:
        function.__kwdefaults__ = {key: _unpack(packed) for key, packed in keyword_defaults}
    function.__annotations__ = {key: _unpack(packed) for key, packed in annotations}
    if wrapped is not None:
        function.__dict__["__wrapped__"] = build_function(wrapped)
    return function


def _refuse_call() -> None:
    raise PermissionError("only a function that the test has passed can be called")


def _pack_items(values: dict[str, Any], pack: Any) -> tuple[Any, ...]:
    return tuple((name, pack(value)) for name, value in values.items() if type(name) is str)


def _pack_value(value: Any) -> tuple[Any, ...]:
    """Pack plain data, or a function or a class of a library."""
    with suppress(NotPlainData):
        return _DATA, copy_plain_data(value)
    is_of_library = callable(value) and importable_objects.find_import_path(value) is not None
    return (_DATA, value) if is_of_library else (_HIDDEN, False)


def _pack_annotation(value: Any) -> tuple[Any, ...]:
    """Pack a class, plain data (a text), or a form of `typing` with its arguments."""
    origin = typing.get_origin(value)
    if origin is None:
        name = getattr(value, "_name", None)
        if type(name) is str and getattr(typing, name, None) is value:
            return _TYPING_ALIAS, name, None
        return (_DATA, value) if isinstance(value, type) else _pack_value(value)
    arguments = tuple(
        (_LIST, tuple(map(_pack_annotation, argument))) if type(argument) is list else _pack_annotation(argument)
        for argument in typing.get_args(value)
    )
    if origin is typing.Union:
        return _TYPING_ALIAS, "Union", arguments
    if origin is types.UnionType:
        return _UNION, None, arguments
    name = getattr(value, "_name", None) or getattr(origin, "_name", None) or getattr(origin, "__name__", None)
    if type(value).__module__ == "typing" and type(name) is str and hasattr(typing, name):
        return _TYPING_ALIAS, name, arguments
    return (_ALIAS, origin, arguments) if isinstance(origin, type) else (_HIDDEN, True)


def _unpack(packed: tuple[Any, ...]) -> Any:
    kind, content, *rest = packed
    if kind == _DATA:
        return content
    if kind == _LIST:
        return list(map(_unpack, content))
    if kind == _HIDDEN:
        return object if content else _HIDDEN_DEFAULT
    form = getattr(typing, content) if kind == _TYPING_ALIAS else content
    if rest[0] is None:
        return form
    arguments = tuple(map(_unpack, rest[0]))
    if kind == _UNION:
        return functools.reduce(operator.or_, arguments)
    return form[arguments[0] if len(arguments) == 1 else arguments]
