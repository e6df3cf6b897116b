"""One end of the connection between judge and student process.

A message is `[kind, content, changed_values, dropped_references, released_replicas, stdout, stderr, …]`. The content of a request is its
arguments, that of a reply one value. The changed values are replicas that have changed. The other side no longer needs to keep the dropped
references and released replicas. A request has two more fields: the operation, and whether the other side converts values of a class that
derives from a plain type (see `marshalling.conversion`). An error may have two, the cell and the line that raised it. While one side waits
for a reply, it serves the other's requests.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from pmh_jupyter.grading.runtime.marshalling import exceptions
from pmh_jupyter.grading.runtime.marshalling.codec import Codec
from pmh_jupyter.grading.runtime.marshalling.replicas import MAX_ACTIVE, MAX_ACTIVE_OWN, Replica, Replicas
from pmh_jupyter.grading.runtime.proxies.marshaller import Marshaller
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import ValueTooLarge, decode_names

__builtins__ = BUILTINS

REQUEST, RESULT, ERROR = 0, 1, 2
FIELD_COUNT = 7
MAX_CALL_DEPTH = 40
_ENCODE_ERRORS = (ValueTooLarge, RecursionError, MemoryError, TypeError, ReferenceError)


# Encodes the content of an array or a table for comparison. The result is not sent, so objects in it are not exported.
_SNAPSHOT_CODEC = Codec(lambda value: ["object-id", id(value)], lambda encoded: None)


class TimeLimitReached(BaseException):
    """The time limit of a test cell was reached while code of the judge was running."""


class Peer:
    """The common part of both sides. Subclasses override the methods below "Hooks"."""

    def __init__(self, link: Link, *, is_judge: bool) -> None:
        self.link = link
        self.failure: PeerLost | None = None
        self.is_retired = False
        self.is_decoding = False
        self.call_depth = 0
        self.request_count = 0
        self._is_judge = is_judge
        self.marshaller = Marshaller(self, trusts_peer=not is_judge)
        self.codec = self.marshaller.codec
        self.replicas = Replicas(1 if is_judge else -1, _SNAPSHOT_CODEC.encode)
        self._released_replicas: list[int] = []
        self._lock = threading.RLock()

    # Operations on proxies.

    def get_attribute(self, target: Any, name: str) -> Any:
        """Return an attribute of a remote object."""
        return self.request("get-attribute", target, name)

    def set_attribute(self, target: Any, name: str, value: Any) -> None:
        """Set an attribute of a remote object."""
        self.request("set-attribute", target, name, value)

    def delete_attribute(self, target: Any, name: str) -> None:
        """Delete an attribute of a remote object."""
        self.request("delete-attribute", target, name)

    def list_attributes(self, target: Any) -> list[str]:
        """Return `dir()` of a remote object."""
        return decode_names(self.request("list-attributes", target))

    def call(self, target: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Call a remote object."""
        return self.request("call", target, *_pack_arguments(arguments, keywords))

    def apply_operator(self, target: Any, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Apply an operator to a remote object."""
        if name == "call":
            return self.call(target, arguments, keywords)
        return self.request("apply-operator", target, name, *_pack_arguments(arguments, keywords))

    def recognizes(self, target: Any, name: str, other: Any) -> bool:
        """Return whether a remote class accepts an object or class that does not derive from it (`register`, a protocol).

        name: "instancecheck" or "subclasscheck".
        """
        return self.request("apply-operator", target, name, (other,)) is True

    def copy(self, target: Any, deep: bool) -> Any:
        """Copy a remote object in its process."""
        return self.request("copy-object", target, deep)

    def await_result(self, target: Any) -> Any:
        """Run a remote awaitable to completion and return its result."""
        return self.request("await-result", target)

    # Messages.

    def request(self, operation: str, *arguments: Any) -> Any:
        """Send a request and return the reply. Raises the exception of the reply, `PeerLost`, or an error of `_ENCODE_ERRORS`."""
        with self._lock:
            if self.is_retired:
                raise ReferenceError("the process of this object has ended")
            if self.failure is not None:
                raise PeerLost(self.failure.cause, self.failure.detail)
            if self.call_depth >= MAX_CALL_DEPTH:
                raise RecursionError("the test and the notebook call each other too deeply")
            self.before_request()
            self.call_depth += 1
            self.request_count += 1
            try:
                self._send_message(REQUEST, arguments, [], [operation, self.expects_data()])
                return self._await_reply()
            except PeerLost as failure:
                self.failure = failure
                raise
            except TimeLimitReached:
                # The exchange was interrupted: later messages would answer the wrong request.
                self.failure = PeerLost("cell-timeout", "The time limit was reached.")
                raise
            finally:
                self.call_depth -= 1

    def _send_message(
        self, message_kind: int, content: Iterable[Any], received_replicas: list[Replica], extra_fields: list[Any]
    ) -> None:
        max_own = MAX_ACTIVE_OWN if self._is_judge else MAX_ACTIVE
        changed_values = self.replicas.find_changed_values(received_replicas, max_own=max_own)
        if self._is_judge:
            self._released_replicas += self.replicas.release_unused()
        dropped_references = self.marshaller.dropped_references
        count = len(dropped_references)
        released_objects = [[list(pair) for pair in dropped_references[:count]], self._released_replicas]
        try:
            self._encode_and_send(message_kind, content, changed_values, released_objects, extra_fields)
        except _ENCODE_ERRORS:
            if not (self._is_judge and changed_values):
                raise
            # The test has changed a value that it passed earlier into one that cannot be sent.
            self.replicas.drop_changes(changed_values)
            self._encode_and_send(message_kind, content, (), released_objects, extra_fields)
        del dropped_references[:count]
        self._released_replicas = []

    def _encode_and_send(
        self,
        message_kind: int,
        content: Iterable[Any],
        changed_values: tuple[Any, ...],
        released_objects: list[Any],
        extra_fields: list[Any],
    ) -> None:
        self.replicas.begin_message()
        self.marshaller.newly_described_classes.clear()
        try:
            payload = self.codec.encode_message(content, changed_values, self.replicas)
            self.link.send([message_kind, *payload, *released_objects, *self.pop_output(), *extra_fields])
        except _ENCODE_ERRORS:
            self.replicas.undo_message()
            self.marshaller.exported_objects.mark_undescribed(self.marshaller.newly_described_classes)
            raise

    def _await_reply(self) -> Any:
        """Serve the other side's requests until its reply arrives."""
        while True:
            message = self.receive()
            if message[0] == REQUEST:
                self.serve_request(message)
                continue
            content, _ = self._decode_message(message, include_large=False)
            if len(content) != 1:
                raise PeerLost("protocol-error", "A reply has no value.")
            value = content[0]
            if message[0] == RESULT:
                if self.marshaller.returned_objects:
                    self.require_expected_object(self.marshaller.returned_objects[0])
                return value
            if not isinstance(value, BaseException):
                raise PeerLost("protocol-error", "An error is not an exception.")
            if len(message) == FIELD_COUNT + 2:
                exceptions.set_location(value, *message[FIELD_COUNT:])
            raise value

    def receive(self) -> list[Any]:
        """Return the next message after validating its structure. Raises `PeerLost`."""
        message = self.link.receive()
        if (
            type(message) is not list
            or not FIELD_COUNT <= len(message) <= FIELD_COUNT + 2
            or message[0] not in (REQUEST, RESULT, ERROR)
        ):
            raise PeerLost("protocol-error", "A message is malformed.")
        return message

    def _decode_message(self, message: list[Any], *, include_large: bool) -> tuple[list[Any], list[Replica]]:
        """Return the content of a message and the replicas in it. Raises `PeerLost` if it is malformed."""
        _, content, changed_values, dropped_references, released_replicas, printed_out, printed_err, *_ = message
        if type(printed_out) is str and type(printed_err) is str:
            self.forward_output(printed_out, printed_err)
        for pair in dropped_references if type(dropped_references) is list else ():
            if type(pair) is list and len(pair) == 2:
                self.marshaller.exported_objects.release(*pair)
        if type(released_replicas) is list and not self._is_judge:
            self.replicas.forget(released_replicas)
        self.is_decoding = True
        self.marshaller.returned_objects.clear()
        try:
            values, _ = self.codec.decode_message(content, changed_values, self.replicas)
            received_replicas = self.replicas.pop_received(include_large)
        except PeerLost:
            raise
        except Exception as error:  # noqa: BLE001 - hashing or comparing a decoded value may call the other side, which may raise anything
            raise PeerLost("protocol-error", f"A message is malformed: {type(error).__name__}: {error}"[:200]) from None
        finally:
            self.is_decoding = False
        return values, received_replicas

    def serve_request(self, message: list[Any]) -> None:
        """Answer one request. Only raises `PeerLost` and `TimeLimitReached`."""
        arguments, received_replicas = self._decode_message(message, include_large=True)
        message_kind, location = RESULT, []
        previously_converted = self.marshaller.converts_subclasses
        self.marshaller.converts_subclasses = not self._is_judge and message[-1] is True
        with self._lock:
            self.call_depth += 1
        try:
            if self.call_depth > MAX_CALL_DEPTH:
                raise RecursionError("the test and the notebook call each other too deeply")
            result = self.handle_request(message[FIELD_COUNT], tuple(arguments))
        except (PeerLost, TimeLimitReached):
            self.call_depth -= 1
            raise
        except BaseException as error:  # noqa: BLE001 - the other side receives every exception of the code here, including SystemExit
            message_kind, result, location = ERROR, self.sanitize_error(error), self.locate_error(error)
        with self._lock:  # another thread of the notebook may wait for a reply to its own request
            self.call_depth -= 1
            try:
                self._reply(message_kind, result, received_replicas, location)
            finally:
                self.marshaller.converts_subclasses = previously_converted

    def _reply(self, message_kind: int, result: Any, received_replicas: list[Replica], location: list[int]) -> None:
        try:
            self._send_message(message_kind, [result], received_replicas, location)
        except _ENCODE_ERRORS as error:
            problem = ValueError(f"a value cannot be sent to the other process: {error}"[:300])
            self._send_message(ERROR, [problem], [], [])

    # Hooks.

    def handle_request(self, operation: Any, arguments: Any) -> Any:
        """Perform an operation. Its exceptions are sent to the other side."""
        raise NotImplementedError

    def record_default_operator(self, name: str, other: Any) -> None:
        """Record that an operator of Python itself was applied to a remote object."""

    def record_object(self, value: Any) -> None:
        """Record that an object of the notebook's own classes arrived, or one whose class derives from a plain type."""

    def record_proxy(self, proxy: Any) -> None:
        """Called for each new proxy."""

    def require_expected_object(self, value: Any) -> None:
        """Raise an exception if the other side may not return this object of this side."""

    def require_class_name(self, target: type) -> None:
        """Raise an exception if code of this side may not read the name of a remote class."""

    def expects_data(self) -> bool:
        """Return whether the other side converts values of classes that derive from a plain type."""
        return False

    def before_request(self) -> None:
        """Called before each request of this side."""

    def pop_output(self) -> tuple[str, str]:
        """Return stdout and stderr since the last message."""
        return "", ""

    def forward_output(self, printed_out: str, printed_err: str) -> None:
        """Handle output of the other side."""

    def sanitize_error(self, error: BaseException) -> BaseException:
        """Return the exception to send for one that was raised here."""
        return error

    def locate_error(self, error: BaseException) -> list[int]:
        """Return the cell and the line that raised an exception, or an empty list."""
        return []


def _pack_arguments(positional: Iterable[Any], keywords: dict[str, Any]) -> tuple[Any, ...]:
    """Return the fields of a request for the arguments of a call: keywords only if there are any."""
    return (tuple(positional), tuple(keywords), tuple(keywords.values())) if keywords else (tuple(positional),)
