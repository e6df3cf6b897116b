"""The student process's end of the connection: runs cells, and performs the judge's operations on the student's objects."""

from __future__ import annotations

import builtins
import copy
import os
import threading
import types
import warnings
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pmh_jupyter.grading.runtime.files.shared_files import StudentFileSync
from pmh_jupyter.grading.runtime.proxies import importable_objects
from pmh_jupyter.grading.runtime.proxies.function_description import DESCRIBED_ATTRIBUTES, build_function
from pmh_jupyter.grading.runtime.proxies.operators import OPERATOR_OF_METHOD, apply_operator, await_result
from pmh_jupyter.grading.runtime.proxies.proxies import ProxyMeta, get_apparent_class
from pmh_jupyter.grading.runtime.proxies.signatures import describe_signature
from pmh_jupyter.grading.runtime.separate_process.peers.locked_names import LockedNames
from pmh_jupyter.grading.runtime.separate_process.peers.peer import FIELD_COUNT, REQUEST, RESULT, Peer
from pmh_jupyter.grading.runtime.transport.framing import Link
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.result_fields import ErrorFields

__builtins__ = BUILTINS

_ORIGINAL_WARN = warnings.warn


_RANDOM_MODULES = frozenset({"random", "numpy.random"})
_MAX_RECENT_PROXIES = 1_000
# Entries in the `__dict__` of a function's proxy: the attributes that the notebook has set, and the function built from its description.
_LOCAL_ATTRIBUTES, _DESCRIBED_FUNCTION = "_pmh_attributes", "_pmh_function"


class SeparateProcessStudentServer:
    """Serves the judge in the student process.

    namespace: the names of the notebook.
    run_student_cell(number, source): runs a cell of the student. Returns its error, or None.
    take_checkpoint(): freezes a copy of this process. Returns False at once, and True in the copy when it continues with a new connection.
    pop_output(): returns stdout and stderr since the last call.
    locate_error(error): returns the cell and line of the notebook that raised an exception, or (None, None).
    shared_folders: the paths of the folders that tests share, by name.
    """

    def __init__(
        self,
        link: Link,
        namespace: dict[str, Any],
        run_student_cell: Callable[[int, str], ErrorFields | None],
        take_checkpoint: Callable[[], bool],
        *,
        pop_output: Callable[[], tuple[str, str]] = lambda: ("", ""),
        locate_error: Callable[[BaseException], tuple[int | None, int | None]] = lambda error: (None, None),
        shared_folders: dict[str, str] | None = None,
    ) -> None:
        self.link, self.namespace, self.take_checkpoint = link, namespace, take_checkpoint
        self._handlers = _RequestHandlers(namespace, run_student_cell)
        if shared_folders:
            file_sync = StudentFileSync(shared_folders)
            self._handlers.handlers |= {
                "exchange-file-changes": file_sync.exchange_changes,
                "read-file-part": file_sync.read_part,
                "write-file-part": file_sync.write_part,
            }
        self._pop_output, self._locate_error = pop_output, locate_error

    def serve(self) -> None:
        """Serve until the judge closes the connection, which raises `PeerLost`.

        A process that a cell has forked exits instead of answering.
        """
        pid = os.getpid()
        peer = self._make_peer()
        while True:
            message = peer.receive()
            if message[FIELD_COUNT] == "checkpoint":
                is_restored = self.take_checkpoint()
                if is_restored:
                    pid, peer = os.getpid(), self._make_peer()
                peer.link.send([RESULT, [None], [], [], [], "", ""])
                continue
            if message[0] == REQUEST:
                peer.serve_request(message)
            if os.getpid() != pid:
                os._exit(0)

    def _make_peer(self) -> StudentPeer:
        return StudentPeer(self.link, self._handlers, self._pop_output, self._locate_error)


class StudentPeer(Peer):
    """One connection, which only the process that opened it may use. Other threads may use it while a request of the judge is served."""

    def __init__(
        self,
        link: Link,
        handlers: _RequestHandlers,
        pop_output: Callable[[], tuple[str, str]],
        locate_error: Callable[[BaseException], tuple[int | None, int | None]],
    ) -> None:
        super().__init__(link, is_judge=False)
        self._pid, self._thread = os.getpid(), threading.get_ident()
        self._handlers = handlers
        self._pop_output, self._locate_error = pop_output, locate_error
        # A weak reference of the notebook to an object of the test, whose proxy nothing else may hold, lives as long as in a notebook.
        self._recent_proxies: deque[Any] = deque(maxlen=_MAX_RECENT_PROXIES)
        _install_overrides(self)

    def get_attribute(self, target: Any, name: str) -> Any:
        """Return an attribute of an object of the test. Attributes that the class description contains are not requested.

        Abstract base classes (`isinstance(x, Iterable)`) look for methods in the `__dict__` of a class.
        """
        if type(target) is ProxyMeta:
            return type.__getattribute__(target, name) if name == "__dict__" else super().get_attribute(target, name)
        if name in OPERATOR_OF_METHOD:
            return object.__getattribute__(target, name)
        if get_apparent_class(target) in (types.FunctionType, types.MethodType):
            return self._get_function_attribute(target, name)
        value = super().get_attribute(target, name)
        return dict(value) if name == "__dict__" else value

    def _get_function_attribute(self, target: Any, name: str) -> Any:
        """Return an attribute that the notebook has set, or one of the function that is built from the description of the original."""
        local = _get_local_attributes(target)
        if name == "__dict__":
            return local
        if name in local:
            return local[name]
        is_inner_function = name == "__func__" and get_apparent_class(target) is types.MethodType
        if name not in DESCRIBED_ATTRIBUTES and not is_inner_function:
            return super().get_attribute(target, name)
        content: dict[str, Any] = object.__getattribute__(target, "__dict__")
        if _DESCRIBED_FUNCTION not in content:
            content[_DESCRIBED_FUNCTION] = build_function(self.request("describe-function", target))
        function = content[_DESCRIBED_FUNCTION]
        return function if is_inner_function else getattr(function, name)

    def set_attribute(self, target: Any, name: str, value: Any) -> None:
        """Set an attribute of a function of the test. The notebook can read it again, and the test gets it where it may read it."""
        super().set_attribute(target, name, value)
        _get_local_attributes(target)[name] = value

    def record_proxy(self, proxy: Any) -> None:
        if not isinstance(
            proxy, BaseException
        ):  # its traceback holds the variables of the code that it has passed through
            self._recent_proxies.append(proxy)

    def copy(self, target: Any, deep: bool) -> Any:
        """Copy an object of the test. Functions are not copied."""
        is_function = get_apparent_class(target) in (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
        return target if is_function else super().copy(target, deep)

    def before_request(self) -> None:
        if os.getpid() != self._pid:
            raise RuntimeError("an object of the test can only be used in the process that received it")
        if threading.get_ident() != self._thread and not self.call_depth:
            raise RuntimeError("a thread can use an object of the test only while the test waits for the notebook")

    def handle_request(self, operation: Any, arguments: Any) -> Any:
        """Perform an operation. A process that the student's code has forked exits here instead of replying."""
        if operation == "run-cell":
            self._recent_proxies.clear()
        try:
            result = self._handlers.handlers[operation](*arguments)
        except BaseException:
            if os.getpid() != self._pid:
                os._exit(1)
            raise
        if os.getpid() != self._pid:
            os._exit(0)
        return result

    def serve_request(self, message: list[Any]) -> None:
        try:
            super().serve_request(message)
        finally:
            if os.getpid() != self._pid:
                os._exit(0)

    def pop_output(self) -> tuple[str, str]:
        try:
            return self._pop_output()
        except Exception:  # noqa: BLE001 - the student's code may have damaged its streams
            return "", ""

    def locate_error(self, error: BaseException) -> list[int]:
        cell, line = self._locate_error(error)
        return [cell, line] if type(cell) is int and type(line) is int else []


class _RequestHandlers:
    """The functions that handle requests, by operation."""

    def __init__(
        self,
        namespace: dict[str, Any],
        run_student_cell: Callable[[int, str], ErrorFields | None],
    ) -> None:
        self.namespace = namespace
        self._locked_names = LockedNames(namespace)
        # A shell defines its own `open`, `exit` and `quit`, which do not count as builtins shadowed by the notebook.
        self._initial_builtins = {name: value for name, value in namespace.items() if name in BUILTINS}
        self.handlers: dict[str, Callable[..., Any]] = {
            "run-cell": run_student_cell,
            "save-locked-names": self._locked_names.save,
            "restore-locked-classes": self._locked_names.restore,
            "find-locked-changes": self._locked_names.find_changes,
            "lookup-name": self.lookup,
            "lookup-locked-name": self.lookup_locked,
            "is-name-bound": self.is_bound,
            "list-names": self.list_bound_names,
            "bind-name": namespace.__setitem__,
            "unbind-name": self.unbind,
            "import-module": lambda name: importable_objects.import_object(name, ""),
            "seed-random": self.seed_random,
            "call": _call_object,
            "apply-operator": _operate_on,
            "get-value": lambda value: value,
            "get-attribute": _get_attribute,
            "set-attribute": setattr,
            "delete-attribute": delattr,
            "list-attributes": dir,
            "copy-object": lambda value, deep: copy.deepcopy(value) if deep else copy.copy(value),
            "await-result": await_result,
            "get-signature": describe_signature,
        }

    def lookup(self, name: str) -> tuple[Any, ...]:
        """Return whether the notebook has bound a name, its value, and its import path if it is a library object."""
        if not self.is_bound(name):
            return (False, None, None)
        value = self.namespace[name]
        return (True, value, importable_objects.find_import_path(value))

    def lookup_locked(self, name: str) -> tuple[Any, ...]:
        """Like `lookup`, for the value from a locked cell, with whether the notebook has bound another function or class to the name."""
        saved_value = self._locked_names.find(name)
        return (True, *saved_value) if saved_value is not None else (*self.lookup(name)[:2], False)

    def is_bound(self, name: str) -> bool:
        """Return whether the notebook has bound a name."""
        return name in self.namespace and (
            name not in self._initial_builtins or self.namespace[name] is not self._initial_builtins[name]
        )

    def list_bound_names(self) -> list[str]:
        """Return the names that the notebook has bound."""
        return [
            name for name in self.namespace if type(name) is str and not name.startswith("_") and self.is_bound(name)
        ]

    def seed_random(self, module: str, number: Any) -> None:
        """Seed a module of random numbers, and the one that the notebook has bound to its name (`from numpy import random`)."""
        importable_objects.import_object(module, "seed")(number)
        bound_module = self.namespace.get(module.rpartition(".")[2])
        if type(bound_module) is types.ModuleType and bound_module.__name__ in _RANDOM_MODULES - {module}:
            with suppress(TypeError, ValueError):  # NumPy only accepts small numbers
                bound_module.seed(number)

    def unbind(self, name: str) -> bool:
        """Delete a name. Returns whether it existed."""
        was_bound = name in self.namespace
        self.namespace.pop(name, None)
        return was_bound


def _get_local_attributes(target: Any) -> dict[str, Any]:
    content: dict[str, dict[str, Any]] = object.__getattribute__(target, "__dict__")
    return content.setdefault(_LOCAL_ATTRIBUTES, {})


def _call_object(
    target: Any, arguments: tuple[Any, ...], keyword_names: tuple[str, ...] = (), keyword_values: tuple[Any, ...] = ()
) -> Any:
    return target(*arguments, **dict(zip(keyword_names, keyword_values, strict=True)))


def _operate_on(target: Any, name: str, arguments: Any, keyword_names: Any = (), keyword_values: Any = ()) -> Any:
    return apply_operator(name, target, list(arguments), dict(zip(keyword_names, keyword_values, strict=True)))


def _get_attribute(target: Any, name: str) -> Any:
    value = getattr(target, name)
    return dict(value) if type(value) is types.MappingProxyType else value


def _install_overrides(peer: Peer) -> None:
    """Redirect `input` and `warnings.warn` to the test that calls the student's code."""

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
