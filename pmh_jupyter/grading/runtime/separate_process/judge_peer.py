"""The judge's end of the connection: applies the operator policy, restricts the student process's requests, forwards its output."""

from __future__ import annotations

import builtins
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from pmh_jupyter.grading.runtime.files.shared_files import JudgeFileSync
from pmh_jupyter.grading.runtime.marshalling.exceptions import BUILTIN_EXCEPTIONS
from pmh_jupyter.grading.runtime.proxies import attribute_policy
from pmh_jupyter.grading.runtime.proxies.operators import OPERATOR_OF_METHOD, apply_operator
from pmh_jupyter.grading.runtime.proxies.proxies import ProxyMeta, apparent_class, is_proxy
from pmh_jupyter.grading.runtime.proxies.signatures import build_signature
from pmh_jupyter.grading.runtime.separate_process.operator_policy import OperatorPolicy
from pmh_jupyter.grading.runtime.separate_process.peer import Peer, TimeLimitReached
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost

_BUILTIN_INPUT = builtins.input


class JudgePeer(Peer):
    """The connection to one student process.

    find_test_input: returns the value that the test cells have bound to the name `input`, or None.
    """

    def __init__(
        self,
        link: Link,
        operator_policy: OperatorPolicy,
        find_test_input: Callable[[], Any],
        file_sync: JudgeFileSync | None = None,
    ) -> None:
        super().__init__(link, is_judge=True)
        self.operator_policy = operator_policy
        self.exclusive_lock: AbstractContextManager[Any] = self._lock
        self._file_sync = file_sync
        if file_sync is not None:
            file_sync.connect(self)
        self._find_test_input = find_test_input
        self._discards_output = False

    def request(self, operation: str, *arguments: Any) -> Any:
        file_sync = self._file_sync
        if file_sync is None:
            return super().request(operation, *arguments)
        with self.exclusive_lock:
            file_sync.before_student_code()
            try:
                return super().request(operation, *arguments)
            finally:
                file_sync.after_student_code()

    def request_internal(self, operation: str, *arguments: Any) -> Any:
        """Send a request that our own code answers, not the student's. Raises its OSError, and `PeerLost` for any other exception."""
        try:
            return super().request(operation, *arguments)
        except (PeerLost, TimeLimitReached):
            raise
        except OSError as error:
            if type(error).__module__ != "builtins":
                raise self.mark_lost("An error is not a built-in exception.") from None
            raise
        except BaseException as error:  # noqa: BLE001 - the student process may answer with any exception
            raise self.mark_lost(f"{operation} ended with {type(error).__name__}"[:200]) from None

    def mark_lost(self, detail: str) -> PeerLost:
        """Mark the student process as unusable. Returns the exception to raise."""
        self.failure = self.failure or PeerLost("protocol-error", detail)
        return self.failure

    def get_attribute(self, target: Any, name: str) -> Any:
        if name in OPERATOR_OF_METHOD:
            self.operator_policy.check_operator(OPERATOR_OF_METHOD[name], _class_of(target))
        if name == "__signature__":
            return self._fetch_signature(target)
        return self.request("get-attribute", target, name)

    def apply_operator(self, target: Any, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        self.operator_policy.check_operator(name, _class_of(target))
        if name in ("exit", "aexit"):
            return self._exit_context(target, name, arguments)
        if arguments and not is_proxy(arguments[0]) and not self.operator_policy.allows_plain_data(name):
            return NotImplemented
        if arguments:
            self.operator_policy.verify_before_comparison(
                name, _class_of(target), arguments[0], lambda *operands: self._apply_silently(target, *operands)
            )
        result = super().apply_operator(target, name, arguments, keywords)
        if arguments:
            self.operator_policy.verify_claim(
                name, _class_of(target), result, arguments[0], lambda *operands: self._apply_silently(target, *operands)
            )
        return result

    def recognizes(self, target: Any, name: str, other: Any) -> bool:
        """Ask only if the reference solution uses such a class: any class may claim every object."""
        if not self.operator_policy.is_allowed(name):
            return False
        is_recognized = super().recognizes(target, name, other)
        if is_recognized:
            self.operator_policy.check_operator(name, _class_of(target))
        return is_recognized

    def _exit_context(self, target: Any, name: str, arguments: tuple[Any, ...]) -> Any:
        """Leave a context manager of the student. It neither receives nor suppresses the failure of a statement."""
        error = arguments[1] if len(arguments) == 3 else None
        if not isinstance(error, BaseException):
            return super().apply_operator(target, name, (None, None, None), {})
        if isinstance(error, AssertionError) or not isinstance(error, Exception):
            super().apply_operator(target, name, (AssertionError, AssertionError(), None), {})
            return False
        return super().apply_operator(target, name, (apparent_class(error), error, None), {})

    def _apply_silently(self, target: Any, name: str, value: Any) -> Any:
        with self.discard_output():
            return self.request("apply-operator", target, name, (value,), (), ())

    @contextmanager
    def discard_output(self) -> Iterator[None]:
        """Discard the output of the student's code in a `with` block."""
        previous, self._discards_output = self._discards_output, True
        try:
            yield
        finally:
            self._discards_output = previous

    def end_cell(self) -> None:
        """Make the copies of shared values independent of each other at the end of a test cell."""
        self._released_replicas += self.replicas.forget_all()
        self.marshaller.forget_value_proxies()

    def _fetch_signature(self, target: Any) -> Any:
        parts = self.request("get-signature", target)
        try:
            return build_signature(parts)
        except (TypeError, ValueError, IndexError):
            raise AttributeError("__signature__") from None

    def handle_request(self, operation: Any, arguments: Any) -> Any:
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
        if operation == "get-attribute":
            return getattr(target, other_arguments[0])
        positional, names, values = other_arguments[-3:]
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
        kind = BUILTIN_EXCEPTIONS.get(name) if type(name) is str else None
        if type(text) is not str or kind is None or not issubclass(kind, Warning) or self._discards_output:
            return False
        warnings.warn(text, kind, stacklevel=2)
        return True

    def forward_output(self, printed_out: str, printed_err: str) -> None:
        if self._discards_output:
            return
        if printed_out:
            sys.stdout.write(printed_out)
        if printed_err:
            sys.stderr.write(printed_err)

    def sanitize_error(self, error: BaseException) -> BaseException:
        """Hide the details of a failure in a callback of the test."""
        return AssertionError() if isinstance(error, AssertionError) else error


def _class_of(target: Any) -> type:
    return target if type(target) is ProxyMeta else type(target)
