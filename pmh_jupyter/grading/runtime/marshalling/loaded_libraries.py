"""Access to NumPy and pandas, which most notebooks do not use, and whose import takes longer than grading.

A process uses them for its own values only if it has loaded them already. It imports them when a value of theirs arrives. Their names are
fixed, so a message cannot choose what is imported.
"""

from __future__ import annotations

import importlib
import sys
from functools import partial
from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError

__builtins__ = BUILTINS


def get_loaded_numpy() -> Any:
    """Return NumPy; None if it is not loaded. While it is being imported, it lacks some of its names."""
    return sys.modules.get("numpy")


def get_loaded_pandas() -> Any:
    """Return pandas; None if it is not loaded. While it is being imported, it lacks some of its names."""
    return sys.modules.get("pandas")


def _import_library(name: str) -> Any:
    """Import a library. Raises `WireFormatError` if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise WireFormatError(f"A value of {name} arrived, which is not installed here.") from None


import_numpy, import_pandas = partial(_import_library, "numpy"), partial(_import_library, "pandas")
