"""Checks the requests of the student process to the judge. Only the ordinary use of objects that a test has passed is allowed.

Through the `__globals__` of a function, the frame of a generator or the traceback of an exception, it could read everything in the judge.
"""

from __future__ import annotations

import functools
import re
import sys
import types
from typing import Any

from pmh_jupyter.grading.runtime.proxies.object_table import ObjectTable
from pmh_jupyter.grading.runtime.proxies.operators import OPERATORS

_NAME_ATTRIBUTES = ("__name__", "__qualname__", "__doc__")
_OPAQUE_TYPES = (
    *(type, types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType, types.CodeType),
    *(types.FrameType, types.TracebackType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType),
    *(types.MethodWrapperType, types.WrapperDescriptorType, types.CellType, classmethod, staticmethod, property),
    functools.partial,
)
_MOCK_RECORDS = ("called", "call_count", "call_args", "call_args_list", "method_calls", "mock_calls")
# Attributes of NumPy that give the address of memory, or functions that take one.
_MEMORY_ATTRIBUTES = ("bit_generator", "ctypes", "cffi", "capsule")
# Allowed methods of a test's database. Others open files, load libraries or replace the content.
_DATABASE_ATTRIBUTES = frozenset(
    """
    execute executemany executescript cursor commit rollback close total_changes in_transaction isolation_level row_factory
    text_factory create_function create_aggregate create_window_function create_collation iterdump interrupt fetchone fetchmany
    fetchall description rowcount lastrowid arraysize connection keys Error Warning InterfaceError DatabaseError DataError
    OperationalError IntegrityError InternalError ProgrammingError NotSupportedError
    """.split()
)
_FILE_STATEMENT = re.compile(r"\b(?:attach|vacuum|load_extension|readfile|writefile|pragma)\b", re.IGNORECASE)
_GENERATOR_METHODS = ("send", "throw", "close")


def check_request(operation: Any, arguments: Any, exported_objects: ObjectTable) -> None:
    """Raise PermissionError for a request that is not allowed, and AttributeError for an attribute that is withheld."""
    if (
        type(operation) is not str
        or operation not in ("call", "apply-operator", "get-attribute", "copy-object")
        or type(arguments) is not tuple
    ):
        raise PermissionError("this request is not allowed")
    if operation == "get-attribute" and arguments and not exported_objects.is_offered(arguments[0]):
        raise AttributeError("the test has not passed this object")
    if not arguments or not exported_objects.is_offered(arguments[0]):
        raise PermissionError("only objects that a test has passed may be used")
    target, *parameters = arguments
    if operation == "get-attribute":
        _check_attribute(target, *parameters)
    elif operation == "copy-object":
        if len(parameters) != 1 or is_opaque(target):
            raise PermissionError("this object may not be copied")
    elif operation == "apply-operator":
        if (
            len(parameters) not in (2, 4)
            or type(parameters[0]) is not str
            or parameters[0] not in OPERATORS - {"call"}
            or issubclass(type(target), type)
        ):
            raise PermissionError("this operator is not allowed")
    elif len(parameters) not in (1, 3) or issubclass(type(target), types.ModuleType):
        raise PermissionError("this object may not be called")
    else:
        _check_statement(target, parameters[0])


def is_opaque(value: Any) -> bool:
    """Return whether only the name of an object may be read. The repr of a method would show the object that it is bound to."""
    return issubclass(type(value), _OPAQUE_TYPES)


def has_own_equality(value: Any) -> bool:
    """Return whether a method of its class decides what an object equals. A mock only equals itself."""
    method: Any = type(value).__eq__
    return method is not object.__eq__ and not is_opaque(value) and not _is_mock(type(value))


def _is_mock(cls: type) -> bool:
    mock: Any = sys.modules.get("unittest.mock")
    return mock is not None and issubclass(cls, mock.NonCallableMock)


def _check_statement(target: Any, arguments: Any) -> None:
    """Refuse SQL that opens files: a database that a test passes is open in this process."""
    if not _is_of_library(getattr(target, "__self__", None), "sqlite3"):
        return
    if type(arguments) is not tuple or any(
        type(argument) is str and _FILE_STATEMENT.search(argument) for argument in arguments
    ):
        raise PermissionError("this statement is not allowed")


def _is_of_library(value: Any, library: str) -> bool:
    return any(base.__module__.partition(".")[0] == library for base in type(value).__mro__)


def _check_attribute(target: Any, *parameters: Any) -> None:
    if len(parameters) != 1 or type(parameters[0]) is not str:
        raise PermissionError("this request is not allowed")
    name = parameters[0]
    cls = type(target)
    if name in _NAME_ATTRIBUTES and cls in _OPAQUE_TYPES:
        return
    if _is_mock(cls) and name not in _MOCK_RECORDS and hasattr(cls, name):
        # `configure_mock` and the like: a student may only use attributes that the test has set on the mock.
        raise AttributeError(name)
    if cls is types.GeneratorType and name in _GENERATOR_METHODS:
        return
    if name in _MEMORY_ATTRIBUTES and _is_of_library(target, "numpy"):
        raise AttributeError(name)
    if name not in _DATABASE_ATTRIBUTES and _is_of_library(target, "sqlite3"):
        raise AttributeError(name)
    if name.startswith("_") or issubclass(cls, _OPAQUE_TYPES):
        raise AttributeError(name)
