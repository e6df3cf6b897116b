"""Checks the requests of the student process to the judge. Only the ordinary use of objects that a test has passed is allowed.

Through the `__globals__` of a function, the frame of a generator or the traceback of an exception, it could read everything in the judge.
"""

from __future__ import annotations

import functools
import re
import sys
import types
from collections.abc import Callable
from typing import Any

from pmh_jupyter.grading.runtime.proxies.importable_objects import find_import_path
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
_FILE_STATEMENT = re.compile(
    r"\b(?:attach|vacuum|load_extension|readfile|writefile|pragma(?!\s+(?:foreign_keys|table_info|index_list)\b))\b",
    re.IGNORECASE,
)
# Quoted names are matched, too, because they may contain the quotation mark of a literal. Their text may be that of a function.
_SQL_QUOTATION = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^]]*\]""")
_GENERATOR_METHODS = ("send", "throw", "close")


def check_request(operation: Any, arguments: Any, exported_objects: ObjectTable) -> None:
    """Raise PermissionError for a request that is not allowed, and AttributeError for an attribute that is withheld."""
    check = _CHECKS_BY_OPERATION.get(operation) if type(operation) is str else None
    if check is None or type(arguments) is not tuple:
        raise PermissionError("this request is not allowed")
    if not arguments or not (_is_class_query(operation, arguments[0]) or exported_objects.is_offered(arguments[0])):
        error = AttributeError if operation == "get-attribute" else PermissionError
        raise error("only objects that a test has passed may be used")
    target, *parameters = arguments
    check(target, parameters)


def _is_class_query(operation: str, target: Any) -> bool:
    """Return whether a request only reads an attribute of a class: that of a passed object may not be called."""
    return operation == "get-attribute" and issubclass(type(target), type)


def _check_copy(target: Any, parameters: list[Any]) -> None:
    if len(parameters) != 1 or is_opaque(target):
        raise PermissionError("this object may not be copied")


def _check_operator(target: Any, parameters: list[Any]) -> None:
    if (
        len(parameters) not in (2, 4)
        or type(parameters[0]) is not str
        or parameters[0] not in OPERATORS - {"call"}
        or issubclass(type(target), type)
    ):
        raise PermissionError("this operator is not allowed")


def _check_call(target: Any, parameters: list[Any]) -> None:
    if len(parameters) not in (1, 3) or issubclass(type(target), types.ModuleType):
        raise PermissionError("this object may not be called")
    _check_statement(target, parameters[0])


def _check_description(target: Any, parameters: list[Any]) -> None:
    if parameters:
        raise PermissionError("this request is not allowed")


def _check_new_attribute(target: Any, parameters: list[Any]) -> None:
    if len(parameters) != 2 or type(parameters[0]) is not str or parameters[0].startswith("_"):
        raise PermissionError("this attribute may not be set")
    if type(target) is not types.FunctionType:
        raise PermissionError("an attribute may only be set on a function of the test")


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
        type(argument) is str and _FILE_STATEMENT.search(_remove_literals(argument)) for argument in arguments
    ):
        raise PermissionError("this statement is not allowed")


def _remove_literals(statement: str) -> str:
    return _SQL_QUOTATION.sub(lambda match: "''" if match[0].startswith("'") else match[0], statement)


def _is_of_library(value: Any, library: str) -> bool:
    return any(base.__module__.partition(".")[0] == library for base in type(value).__mro__)


def list_public_attributes(value: Any) -> tuple[tuple[str, Any], ...]:
    """Return the names and values in the `__dict__` of an object that the student's code may read."""
    attributes = getattr(value, "__dict__", None)
    names = [name for name in attributes if type(name) is str] if type(attributes) is dict else []
    return tuple((name, getattr(value, name)) for name in names if _is_readable(value, name))


def _is_readable(value: Any, name: str) -> bool:
    try:
        _check_attribute(value, [name])
    except AttributeError:
        return False
    return hasattr(value, name)


def _check_attribute(target: Any, parameters: list[Any]) -> None:
    if len(parameters) != 1 or type(parameters[0]) is not str:
        raise PermissionError("this request is not allowed")
    name = parameters[0]
    cls = type(target)
    if issubclass(cls, type):
        _check_class_attribute(target, name)
        return
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
    if issubclass(cls, _OPAQUE_TYPES) or (name.startswith("_") and name != "__dict__"):
        raise AttributeError(name)


def _check_class_attribute(cls: type, name: str) -> None:
    """Allow the names of a class, and the public attributes that a class of a test defines. A library's class has none."""
    is_defined_by_test = any(
        name in type.__dict__["__dict__"].__get__(base)
        for base in type.__dict__["__mro__"].__get__(cls)
        if base is not object and find_import_path(base) is None
    )
    is_name = name in _NAME_ATTRIBUTES and type(cls) in _OPAQUE_TYPES
    if not is_name and (name.startswith("_") or not is_defined_by_test):
        raise AttributeError(name)


_CHECKS_BY_OPERATION: dict[str, Callable[[Any, list[Any]], None]] = {
    "call": _check_call,
    "apply-operator": _check_operator,
    "get-attribute": _check_attribute,
    "set-attribute": _check_new_attribute,
    "copy-object": _check_copy,
    "describe-function": _check_description,
}
