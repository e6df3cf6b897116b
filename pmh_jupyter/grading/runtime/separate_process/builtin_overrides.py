"""Redirects `input` and `warnings.warn` of the student's code to the test that calls it."""

from __future__ import annotations

import builtins
import warnings
from typing import Any

from pmh_jupyter.grading.runtime.separate_process.peer import Peer
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

_ORIGINAL_WARN = warnings.warn


def install_overrides(peer: Peer) -> None:
    """Install the overrides in the student process. `input` reads from the test, and a warning is shown in the judge during a test."""

    def input_from_test(prompt: object = "", /) -> Any:
        return peer.request("read-input", str(prompt))

    def warn_test(message: Any, category: Any = None, stacklevel: int = 1, source: Any = None, **keywords: Any) -> None:
        cls = type(message) if isinstance(message, Warning) else category or UserWarning
        try:
            was_delivered = peer.call_depth > 0 and peer.request("show-warning", str(message), cls.__name__)
        except RuntimeError:  # called from another thread, or from a process that a cell has forked
            was_delivered = False
        if not was_delivered:
            _ORIGINAL_WARN(message, category, stacklevel + 1, source, **keywords)

    input_from_test.__name__ = input_from_test.__qualname__ = "input"
    warn_test.__name__ = warn_test.__qualname__ = "warn"
    builtins.input = input_from_test
    warnings.warn = warn_test
