"""Library objects, which are sent as an import path: a module and a qualified name in it ("" for the module itself)."""

from __future__ import annotations

import builtins
import datetime
import decimal
import fractions
import importlib
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

ImportPath = tuple[str, str]

# These modules have state that belongs to the student (open figures, …), so a test uses them in the student process.
STATEFUL_MODULES = frozenset({"matplotlib.pyplot", "pylab", "matplotlib.pylab"})

_ALLOWED_TYPES = (
    *(int, float, complex, str, bytes, bytearray, bool, list, tuple, dict, set, frozenset, object, range, slice),
    *(type(None), types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType),
    *(types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, map, filter, zip, enumerate, reversed),
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction),
    *(Counter, OrderedDict, defaultdict, deque, property, staticmethod, classmethod, super, types.MappingProxyType),
    *(types.CodeType, types.FrameType, types.TracebackType, types.CellType, types.SimpleNamespace),
    *(value for value in vars(builtins).values() if isinstance(value, type) and issubclass(value, Exception)),
)
_NUMPY_TYPE_NAMES = (
    "bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128 str_ ndarray"
)
_PANDAS_TYPE_NAMES = "DataFrame Series Index MultiIndex RangeIndex DatetimeIndex Timestamp Timedelta"


def find_import_path(value: Any) -> ImportPath | None:
    """Return the import path of an object, or None if a notebook defined it or the path leads to another object."""
    if isinstance(value, types.ModuleType):
        name = getattr(value, "__name__", None)
        is_loaded = type(name) is str and name != "__main__" and sys.modules.get(name) is value
        return (name, "") if is_loaded and name is not None else None
    if not callable(value):
        return None
    module = getattr(value, "__module__", None)
    qualname = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if module is None and type(value).__name__ == "ufunc":
        module = "numpy"
    if type(module) is not str or type(qualname) is not str or module == "__main__":
        return None
    return (module, qualname) if find_loaded_object(module, qualname) is value else None


def find_loaded_object(module: str, qualname: str) -> Any:
    """Return the object at this path in a loaded module, or None."""
    value: Any = sys.modules.get(module)
    for part in qualname.split(".") if qualname else ():
        value = getattr(value, part, None)
    return value


def import_object(module: str, qualname: str) -> Any:
    """Import the module and return the object at this path. Raises ImportError or AttributeError."""
    value: Any = importlib.import_module(module)
    for part in qualname.split(".") if qualname else ():
        value = getattr(value, part)
    return value


_ALLOWED_BY_PATH: dict[ImportPath, Any] = {(cls.__module__, cls.__qualname__): cls for cls in _ALLOWED_TYPES}
_ALLOWED_IF_LOADED = {
    **{("numpy", name): name for name in _NUMPY_TYPE_NAMES.split()},
    **{("pandas", name): name for name in _PANDAS_TYPE_NAMES.split()},
}


def find_allowed_type(module: str, qualname: str) -> type | None:
    """Return a type that an untrusted process may name, or None. These types only hold their values.

    Types of NumPy and pandas are available only if this process has already loaded the library.
    """
    cls = _ALLOWED_BY_PATH.get((module, qualname))
    if cls is None and (module, qualname) in _ALLOWED_IF_LOADED:
        cls = find_loaded_object(module, qualname)
    return cls if isinstance(cls, type) else None


def find_allowed_import_path(cls: type) -> ImportPath | None:
    """Return the path under which `find_allowed_type` finds this type, or None."""
    import_path = (cls.__module__, cls.__qualname__)
    if type(import_path[0]) is str and find_allowed_type(*import_path) is cls:
        return import_path
    # NumPy and pandas define their types in other modules than those that export them.
    root = str(import_path[0]).partition(".")[0]
    if root in ("numpy", "pandas") and find_allowed_type(root, cls.__name__) is cls:
        return root, cls.__name__
    return None
