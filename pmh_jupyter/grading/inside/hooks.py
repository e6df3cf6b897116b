"""What the interpreter and IPython call by themselves, as it was before the student's code, and putting that back."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

Seen = tuple[str, str]

SYS = ("excepthook", "unraisablehook", "displayhook", "breakpointhook")
LISTS = ("meta_path", "path_hooks")
TIMERS = ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")
SHELL = (
    "input_transformer_manager", "events", "display_formatter", "display_pub", "displayhook", "display_trap", "compile",
    "loop_runner", "CustomTB", "magics_manager", "user_ns", "user_module", "ast_node_interactivity", "InteractiveTB",
)  # fmt: skip
SHELL_LISTS = ("ast_transformers", "input_transformers_post", "custom_exceptions")
TRANSFORMS = ("cleanup_transforms", "line_transforms", "token_transformers")
_ABSENT = object()


class Interpreter:
    """Tracing, signals, import hooks and the hooks of `sys`. `library` says of a function or an object that a library made it."""

    def __init__(self, library: Callable[[object], bool]) -> None:
        self.library = library
        self.trace, self.profile = sys.gettrace(), sys.getprofile()
        self.threads = threading.gettrace(), threading.getprofile()
        self.tools = dict(self._tools())
        self.signals = {number: signal.getsignal(number) for number in signal.valid_signals()}
        self.timers = {name: signal.getitimer(getattr(signal, name)) != (0.0, 0.0) for name in TIMERS}
        self.hooks = {name: getattr(sys, name) for name in SYS}
        self.thread_hook = threading.excepthook
        self.lists = {name: list(getattr(sys, name)) for name in LISTS}
        self.collected = list(gc.callbacks)

    def put_back(self) -> Iterator[Seen]:
        yield from self._tracing()
        yield from self._signals()
        for name, hook in self.hooks.items():
            if getattr(sys, name, None) is not hook:
                setattr(sys, name, hook)
                yield "interpreter-changed", f"sys.{name}"
        if threading.excepthook is not self.thread_hook:
            threading.excepthook = self.thread_hook
            yield "interpreter-changed", "threading.excepthook"
        for name, saved in self.lists.items():
            yield from self._list("import-hook", f"sys.{name}", getattr(sys, name), saved)
        yield from self._list("interpreter-changed", "gc.callbacks", gc.callbacks, self.collected)

    def _list(self, code: str, name: str, live: list[Any], saved: list[Any]) -> Iterator[Seen]:
        """What a library added since stays; of anything else it is as it was."""
        strange = [item for item in live if not _among(item, saved) and not self.library(item)]
        if strange or not all(_among(item, live) for item in saved):
            live[:] = saved + [item for item in live if not _among(item, saved) and self.library(item)]
            yield code, name

    def _tracing(self) -> Iterator[Seen]:
        if sys.gettrace() is not self.trace:
            sys.settrace(self.trace)
            yield "tracing", "sys.settrace"
        if sys.getprofile() is not self.profile:
            sys.setprofile(self.profile)
            yield "tracing", "sys.setprofile"
        if (threading.gettrace(), threading.getprofile()) != self.threads:
            threading.settrace(self.threads[0])
            threading.setprofile(self.threads[1])
            yield "tracing", "threading.settrace"
        for number, tool in self._tools():
            if self.tools.get(number) != tool:
                monitoring = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
                monitoring.set_events(number, 0)
                for event in (1 << bit for bit in range(18)):
                    try:
                        monitoring.register_callback(number, event, None)
                    except ValueError:
                        break
                monitoring.free_tool_id(number)
                yield "tracing", "sys.monitoring"

    def _tools(self) -> Iterator[tuple[int, str]]:
        monitoring = getattr(sys, "monitoring", None)
        for number in range(6) if monitoring is not None else ():
            tool = monitoring.get_tool(number)  # type: ignore[union-attr]
            if tool is not None:
                yield number, tool

    def _signals(self) -> Iterator[Seen]:
        if threading.current_thread() is not threading.main_thread():
            return
        for number, handler in self.signals.items():
            if handler is not None and signal.getsignal(number) is not handler:
                try:
                    signal.signal(number, handler)
                except (OSError, ValueError):
                    continue
                yield "signal-handler", signal.Signals(number).name
        for name in TIMERS:
            timer = getattr(signal, name)
            if signal.getitimer(timer) != (0.0, 0.0) and not self.timers[name]:
                signal.setitimer(timer, 0)
                yield "signal-handler", name


class ShellHooks:
    """What IPython calls for each cell. Nothing where `shell` is no IPython shell."""

    def __init__(self, shell: Any, library: Callable[[object], bool]) -> None:
        self.shell, self.library = shell, library
        self.here = hasattr(shell, "run_cell") and hasattr(shell, "events")
        if not self.here:
            return
        self.values = {name: getattr(shell, name, _ABSENT) for name in SHELL}
        self.lists = {name: list(getattr(shell, name)) for name in SHELL_LISTS}
        manager = shell.input_transformer_manager
        self.transforms = {name: list(getattr(manager, name)) for name in TRANSFORMS}
        self.callbacks = {name: list(found) for name, found in shell.events.callbacks.items()}
        self.magics = {kind: dict(found) for kind, found in shell.magics_manager.magics.items()}
        # A method that the student's code put over the class's own.
        self.methods = frozenset(name for name in vars(shell) if callable(getattr(type(shell), name, None)))

    def put_back(self) -> Iterator[Seen]:
        if not self.here:
            return
        shell = self.shell
        for name in [*vars(shell)]:
            if name not in self.methods and isinstance(getattr(type(shell), name, None), FunctionType):
                del vars(shell)[name]
                yield "shell-changed", name
        for name, value in self.values.items():
            if value is not _ABSENT and getattr(shell, name, None) is not value:
                setattr(shell, name, value)
                yield "shell-changed", name
        manager = shell.input_transformer_manager
        lists = [(name, shell, name, saved) for name, saved in self.lists.items()]
        lists += [(name, manager, name, saved) for name, saved in self.transforms.items()]
        for told, owner, name, saved in lists:
            live = getattr(owner, name)
            if len(live) != len(saved) or not all(_among(item, saved) for item in live):
                setattr(owner, name, type(live)(saved))
                yield "shell-changed", told
        yield from self._callbacks()
        yield from self._magics()

    def _callbacks(self) -> Iterator[Seen]:
        for name, live in self.shell.events.callbacks.items():
            saved = self.callbacks.get(name, [])
            kept = [item for item in live if _among(item, saved) or self.library(item)]
            kept += [item for item in saved if not _among(item, live)]
            if len(kept) != len(live) or not all(_among(item, live) for item in kept):
                live[:] = kept
                yield "shell-changed", f"events.{name}"

    def _magics(self) -> Iterator[Seen]:
        """A magic of the student's own stays; one of IPython's is IPython's, which loads some of them when they are used."""
        for kind, saved in self.magics.items():
            live = self.shell.magics_manager.magics[kind]
            changed = [
                name
                for name, found in saved.items()
                if not _same(live.get(name), found) and not self.library(live.get(name))
            ]
            for name in changed:
                live[name] = saved[name]
                yield "shell-changed", f"%{name}"


def _among(item: object, items: list[Any] | tuple[Any, ...]) -> bool:
    return any(_same(item, other) for other in items)


def _same(one: object, other: object) -> bool:
    """The same object; of bound methods, which are made anew at each look, the same function of the same object."""
    if one is other:
        return True
    function = getattr(other, "__func__", None)
    return (
        function is not None
        and type(one) is type(other)
        and getattr(one, "__func__", None) is function
        and getattr(one, "__self__", None) is getattr(other, "__self__", _ABSENT)
    )
