"""The judge's end of the connection: synchronizes files, restricts requests of the student process, and forwards its output."""

from __future__ import annotations

import builtins
import copy
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from pmh_jupyter.grading.runtime.files.shared_files import JudgeFileSync
from pmh_jupyter.grading.runtime.marshalling.exceptions import BUILTIN_EXCEPTIONS
from pmh_jupyter.grading.runtime.policies.file_policy import FILE_POLICY
from pmh_jupyter.grading.runtime.proxies import attribute_policy
from pmh_jupyter.grading.runtime.proxies.function_description import describe_function
from pmh_jupyter.grading.runtime.proxies.operators import TEXT_OPERATORS, apply_operator
from pmh_jupyter.grading.runtime.separate_process.contract.contract import Contract
from pmh_jupyter.grading.runtime.separate_process.peers.contract_peer import ContractPeer
from pmh_jupyter.grading.runtime.separate_process.peers.peer import TimeLimitReached
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost

# What a call between the test and the notebook's code takes here, and not in a notebook. It does not count as the cell's time.
CALL_SECONDS = 1e-4
_BUILTIN_INPUT = builtins.input
# Tests get other functions: see `test_environment`.
_COPY_FUNCTIONS = {False: copy.copy, True: copy.deepcopy}


class JudgePeer(ContractPeer):
    """The connection to one student process.

    find_test_input: returns the value that the test cells have bound to the name `input`, or None.
    """

    def __init__(
        self,
        link: Link,
        contract: Contract,
        find_test_input: Callable[[], Any],
        file_sync: JudgeFileSync | None = None,
    ) -> None:
        super().__init__(link, contract)
        self.exclusive_lock: AbstractContextManager[Any] = self._lock
        self._file_sync = file_sync
        if file_sync is not None:
            file_sync.connect(self)
        self._find_test_input = find_test_input

    def send_request(self, operation: str, *arguments: Any) -> Any:
        self.link.extend_deadline(CALL_SECONDS)
        if self._file_sync is None:
            return super().send_request(operation, *arguments)
        with self.exclusive_lock:
            self._file_sync.before_student_code()
            try:
                return super().send_request(operation, *arguments)
            finally:
                self._file_sync.after_student_code()

    def request_internal(self, operation: str, *arguments: Any) -> Any:
        """Send a request that student code does not handle. Raises its OSError, and `PeerLost` for any other exception."""
        try:
            return super().send_request(operation, *arguments)
        except (PeerLost, TimeLimitReached):
            raise
        except OSError as error:
            if BUILTIN_EXCEPTIONS.get(type(error).__name__) is not type(error):
                raise self.mark_lost("An error is not a built-in exception.") from None
            raise
        except BaseException as error:  # noqa: BLE001 - the student process may answer with any exception
            raise self.mark_lost(f"{operation} ended with {type(error).__name__}"[:200]) from None

    def request_from_runner(self, operation: str, *arguments: Any) -> Any:
        """Send a request whose errors are part of the reply, for example to run a cell. Raises `PeerLost` if the reply is an exception."""
        try:
            return self.request(operation, *arguments)
        except (PeerLost, TimeLimitReached):
            raise
        except BaseException as error:  # noqa: BLE001 - the student's code has changed what runs its cells
            raise self.mark_lost(f"{operation} ended with {type(error).__name__}"[:200]) from None

    def mark_lost(self, detail: str) -> PeerLost:
        """Mark the student process as unusable. Returns the exception to raise."""
        self.failure = self.failure or PeerLost("protocol-error", detail)
        return self.failure

    def handle_request(self, operation: Any, arguments: Any) -> Any:
        self.link.extend_deadline(CALL_SECONDS)
        if self._file_sync is None:
            return self._handle_operation(operation, arguments)
        self._file_sync.after_student_code()
        try:
            return self._handle_operation(operation, arguments)
        finally:
            self._file_sync.before_student_code()

    def _handle_operation(self, operation: Any, arguments: Any) -> Any:
        if operation == "read-input":
            return self._read_input(arguments)
        if operation == "show-warning":
            return self._show_warning(arguments)
        attribute_policy.check_request(operation, arguments, self.marshaller.exported_objects)
        target, *other_arguments = arguments
        with FILE_POLICY.refuse_other_files():
            return self._use_object(operation, target, other_arguments)

    def _use_object(self, operation: str, target: Any, other_arguments: list[Any]) -> Any:
        if operation == "get-attribute":
            name = other_arguments[0]
            return attribute_policy.list_public_attributes(target) if name == "__dict__" else getattr(target, name)
        if operation == "describe-function":
            return describe_function(target)
        if operation == "set-attribute":
            return self.set_function_attribute(target, *other_arguments)
        if operation == "copy-object":
            return _COPY_FUNCTIONS[other_arguments[0] is True](target)
        if (
            operation == "apply-operator"
            and other_arguments[0] in TEXT_OPERATORS
            and attribute_policy.is_opaque(target)
        ):
            return f"<{type(target).__name__} of the test>"
        positional, names, values = (*other_arguments[operation == "apply-operator" :], (), ())[:3]
        if not (type(positional) is type(names) is type(values) is tuple and len(names) == len(values)):
            raise PermissionError("the arguments of this call are malformed")
        keywords = {name: value for name, value in zip(names, values, strict=True) if type(name) is str}
        return (
            target(*positional, **keywords)
            if operation == "call"
            else apply_operator(other_arguments[0], target, list(positional), keywords)
        )

    def _read_input(self, arguments: Any) -> str:
        """Return the line that the test provides instead of the keyboard."""
        test_input = self._find_test_input()
        read_line = test_input if test_input is not None else builtins.input
        if read_line is _BUILTIN_INPUT:
            raise EOFError("EOF when reading a line")
        prompt = arguments[0] if type(arguments) is tuple and arguments and type(arguments[0]) is str else ""
        return str(read_line(prompt))

    def _show_warning(self, arguments: Any) -> bool:
        """Show a warning of the student's code under the filters of the test. Returns False for a category that is not built in."""
        text, name = arguments if type(arguments) is tuple and len(arguments) == 2 else (None, None)
        category = BUILTIN_EXCEPTIONS.get(name) if type(name) is str else None
        if type(text) is not str or category is None or not issubclass(category, Warning) or self._discards_output:
            return False
        warnings.warn(text, category, stacklevel=2)
        return True

    def forward_output(self, printed_out: str, printed_err: str) -> None:
        if self._discards_output:
            return
        if printed_out:
            sys.stdout.write(printed_out)
        if printed_err:
            sys.stderr.write(printed_err)

    def end_cell(self) -> None:
        """Make the copies of shared values independent of each other at the end of a test cell."""
        self._released_replicas += self.replicas.forget_all()
        self.replicas.refused_changes.clear()
        self.marshaller.forget_value_proxies()
