"""Objects of libraries, named instead of sent: a module and the attribute's path in it ("" for the module itself)."""

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

from .own import BUILTINS

__builtins__ = BUILTINS

Reference = tuple[str, str]

# Their state is the student's (open figures, …): a test looks at it where it is, in the student's process.
STATEFUL = frozenset({"matplotlib.pyplot", "pylab", "matplotlib.pylab"})

_PLAIN_TYPES = (
    *(int, float, complex, str, bytes, bytearray, bool, list, tuple, dict, set, frozenset, object, range, slice),
    *(type(None), types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType),
    *(types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, map, filter, zip, enumerate, reversed),
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction),
    *(Counter, OrderedDict, defaultdict, deque, property, staticmethod, classmethod, super, types.MappingProxyType),
    *(types.CodeType, types.FrameType, types.TracebackType, types.CellType, types.SimpleNamespace),
    *(value for value in vars(builtins).values() if isinstance(value, type) and issubclass(value, Exception)),
)
_NUMPY_TYPES = (
    "bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128 str_ ndarray"
)
_PANDAS_TYPES = "DataFrame Series Index MultiIndex RangeIndex DatetimeIndex Timestamp Timedelta"


def name_of(value: Any) -> Reference | None:
    """Where a library keeps this very object; None for what a notebook defined, and for what cannot be found again."""
    if isinstance(value, types.ModuleType):
        name = getattr(value, "__name__", None)
        found = type(name) is str and name != "__main__" and sys.modules.get(name) is value
        return (name, "") if found and name is not None else None
    if not callable(value):
        return None
    module = getattr(value, "__module__", None)
    path = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if module is None and type(value).__name__ == "ufunc":
        module = "numpy"
    if type(module) is not str or type(path) is not str or module == "__main__":
        return None
    return (module, path) if find_loaded(module, path) is value else None


def find_loaded(module: str, path: str) -> Any:
    """The object at this place in a module that is loaded; None where there is none."""
    value: Any = sys.modules.get(module)
    for part in path.split(".") if path else ():
        value = getattr(value, part, None)
    return value


def find(module: str, path: str) -> Any:
    """The object at this place; imports the module. Raises ImportError or AttributeError."""
    value: Any = importlib.import_module(module)
    for part in path.split(".") if path else ():
        value = getattr(value, part)
    return value


_PLAIN_BY_NAME: dict[Reference, Any] = {(kind.__module__, kind.__qualname__): kind for kind in _PLAIN_TYPES}
_LOADED_BY_NAME = {
    **{("numpy", name): name for name in _NUMPY_TYPES.split()},
    **{("pandas", name): name for name in _PANDAS_TYPES.split()},
}


def known_type(module: str, path: str) -> type | None:
    """One of the types that may be named by a side that is not believed. They do nothing but hold their values.

    NumPy's and pandas' are known only once this process has loaded the library for a reason of its own.
    """
    kind = _PLAIN_BY_NAME.get((module, path))
    if kind is None and (module, path) in _LOADED_BY_NAME:
        kind = find_loaded(module, path)
    return kind if isinstance(kind, type) else None


def known_name(kind: type) -> Reference | None:
    """The name under which `known_type` finds this type again; None for any other."""
    reference = (kind.__module__, kind.__qualname__)
    if type(reference[0]) is str and known_type(*reference) is kind:
        return reference
    # pandas and NumPy show their types under other names than those they are kept under.
    root = str(reference[0]).partition(".")[0]
    if root in ("numpy", "pandas") and known_type(root, kind.__name__) is kind:
        return root, kind.__name__
    return None
