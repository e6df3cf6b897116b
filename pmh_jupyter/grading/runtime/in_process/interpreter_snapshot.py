"""Saves and restores the hooks that the interpreter calls."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from pmh_jupyter.grading.runtime.transport.result_fields import FlagFields, make_flag

SYS_HOOKS = ("excepthook", "unraisablehook", "displayhook", "breakpointhook")
IMPORT_HOOK_LISTS = ("meta_path", "path_hooks")
TIMERS = ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")


class InterpreterSnapshot:
    """Tracing, signals, import hooks and the hooks of `sys`.

    is_from_library: True for a function or an object that belongs to a library. Hooks that a library added later are left in place.
    """

    def __init__(self, is_from_library: Callable[[object], bool]) -> None:
        self.is_from_library = is_from_library
        self.trace, self.profile = sys.gettrace(), sys.getprofile()
        self.thread_tracing = threading.gettrace(), threading.getprofile()
        self.monitoring_tools = dict(self._iter_monitoring_tools())
        self.signals = {number: signal.getsignal(number) for number in signal.valid_signals()}
        self.active_timers = {name: signal.getitimer(getattr(signal, name)) != (0.0, 0.0) for name in TIMERS}
        self.sys_hooks = {name: getattr(sys, name) for name in SYS_HOOKS}
        self.thread_excepthook = threading.excepthook
        self.import_hook_lists = {name: list(getattr(sys, name)) for name in IMPORT_HOOK_LISTS}
        self.gc_callbacks = list(gc.callbacks)

    def restore(self) -> Iterator[FlagFields]:
        """Restore every hook. Yields a flag for each one that had changed."""
        yield from self._restore_tracing()
        yield from self._restore_signals()
        for name, hook in self.sys_hooks.items():
            current = getattr(sys, name, None)
            if current is not hook:
                setattr(sys, name, hook)
                # Libraries set hooks too: `sympy.init_printing()` does.
                if type(current) is not FunctionType or not self.is_from_library(current):
                    yield make_flag("interpreter-changed", f"sys.{name}")
        if threading.excepthook is not self.thread_excepthook:
            threading.excepthook = self.thread_excepthook
            yield make_flag("interpreter-changed", "threading.excepthook")
        for name, saved in self.import_hook_lists.items():
            yield from self._restore_list("import-hook-changed", f"sys.{name}", getattr(sys, name), saved)
        yield from self._restore_list("interpreter-changed", "gc.callbacks", gc.callbacks, self.gc_callbacks)

    def _restore_list(self, code: str, name: str, live: list[Any], saved: list[Any]) -> Iterator[FlagFields]:
        """Restore a list, but leave items in it that a library has added since."""
        foreign_items = [item for item in live if not _contains(item, saved) and not self.is_from_library(item)]
        if foreign_items or not all(_contains(item, live) for item in saved):
            live[:] = saved + [item for item in live if not _contains(item, saved) and self.is_from_library(item)]
            yield make_flag(code, name)

    def _restore_tracing(self) -> Iterator[FlagFields]:
        if sys.gettrace() is not self.trace:
            sys.settrace(self.trace)
            yield make_flag("tracing-attempted", "sys.settrace")
        if sys.getprofile() is not self.profile:
            sys.setprofile(self.profile)
            yield make_flag("tracing-attempted", "sys.setprofile")
        if (threading.gettrace(), threading.getprofile()) != self.thread_tracing:
            threading.settrace(self.thread_tracing[0])
            threading.setprofile(self.thread_tracing[1])
            yield make_flag("tracing-attempted", "threading.settrace")
        for number, tool in self._iter_monitoring_tools():
            if self.monitoring_tools.get(number) != tool:
                monitoring = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
                monitoring.set_events(number, 0)
                for event in (1 << bit for bit in range(18)):
                    try:
                        monitoring.register_callback(number, event, None)
                    except ValueError:
                        break
                monitoring.free_tool_id(number)
                yield make_flag("tracing-attempted", "sys.monitoring")

    def _iter_monitoring_tools(self) -> Iterator[tuple[int, str]]:
        monitoring = getattr(sys, "monitoring", None)
        for number in range(6) if monitoring is not None else ():
            tool = monitoring.get_tool(number)  # type: ignore[union-attr]
            if tool is not None:
                yield number, tool

    def _restore_signals(self) -> Iterator[FlagFields]:
        if threading.current_thread() is not threading.main_thread():
            return
        for number, handler in self.signals.items():
            if handler is not None and signal.getsignal(number) is not handler:
                try:
                    signal.signal(number, handler)
                except (OSError, ValueError):
                    continue
                yield make_flag("signal-handler-changed", signal.Signals(number).name)
        for name in TIMERS:
            timer = getattr(signal, name)
            if signal.getitimer(timer) != (0.0, 0.0) and not self.active_timers[name]:
                signal.setitimer(timer, 0)
                yield make_flag("signal-handler-changed", name)


def _contains(item: object, items: list[Any]) -> bool:
    return any(item is other for other in items)
