"""What the student's code does with the world that a test may look at: it reads the keyboard, and it warns."""

from __future__ import annotations

import builtins
import warnings
from typing import Any

from .own import BUILTINS
from .peer import Peer

__builtins__ = BUILTINS

_WARN = warnings.warn


def install(peer: Peer) -> None:
    """In the student's process: `input` asks the test for what the keyboard would give, and `warnings.warn` warns the test."""

    def ask(prompt: object = "", /) -> Any:
        return peer.ask("input", str(prompt))

    def warn(message: Any, category: Any = None, stacklevel: int = 1, source: Any = None, **named: Any) -> None:
        kind = type(message) if isinstance(message, Warning) else category or UserWarning
        try:
            known = peer.depth > 0 and peer.ask("warn", str(message), kind.__name__)
        except RuntimeError:  # another thread, or a process that a cell forked
            known = False
        if not known:
            _WARN(message, category, stacklevel + 1, source, **named)

    ask.__name__ = ask.__qualname__ = "input"
    warn.__name__ = warn.__qualname__ = "warn"
    builtins.input = ask
    warnings.warn = warn
