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

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

ImportPath = tuple[str, str]

# Their state is the student's (open figures, …): a test looks at it where it is, in the student's process.
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


def import_path_of(value: Any) -> ImportPath | None:
    """Where a library keeps this very object; None for what a notebook defined, and for what cannot be found again."""
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
    """The object at this place in a module that is loaded; None where there is none."""
    value: Any = sys.modules.get(module)
    for part in qualname.split(".") if qualname else ():
        value = getattr(value, part, None)
    return value


def import_object(module: str, qualname: str) -> Any:
    """The object at this place; imports the module. Raises ImportError or AttributeError."""
    value: Any = importlib.import_module(module)
    for part in qualname.split(".") if qualname else ():
        value = getattr(value, part)
    return value


_ALLOWED_BY_PATH: dict[ImportPath, Any] = {(kind.__module__, kind.__qualname__): kind for kind in _ALLOWED_TYPES}
_ALLOWED_IF_LOADED = {
    **{("numpy", name): name for name in _NUMPY_TYPE_NAMES.split()},
    **{("pandas", name): name for name in _PANDAS_TYPE_NAMES.split()},
}


def allowed_type(module: str, qualname: str) -> type | None:
    """One of the types that may be named by a side that is not believed. They do nothing but hold their values.

    NumPy's and pandas' are known only once this process has loaded the library for a reason of its own.
    """
    kind = _ALLOWED_BY_PATH.get((module, qualname))
    if kind is None and (module, qualname) in _ALLOWED_IF_LOADED:
        kind = find_loaded_object(module, qualname)
    return kind if isinstance(kind, type) else None


def allowed_import_path(kind: type) -> ImportPath | None:
    """The name under which `known_type` finds this type again; None for any other."""
    import_path = (kind.__module__, kind.__qualname__)
    if type(import_path[0]) is str and allowed_type(*import_path) is kind:
        return import_path
    # pandas and NumPy show their types under other names than those they are kept under.
    root = str(import_path[0]).partition(".")[0]
    if root in ("numpy", "pandas") and allowed_type(root, kind.__name__) is kind:
        return root, kind.__name__
    return None
