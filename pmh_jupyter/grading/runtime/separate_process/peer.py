"""One end of the conversation between judge and student's process.

A message is `[kind, payload, dropped, forgotten, out, err, …]`: a request (the last field says what is asked) or an answer, which an
exception's place may follow. The payload holds what is said and the twins that changed; `dropped` and `forgotten` what need not be
kept for the other side; `out` and `err` what was printed. While one side waits for its answer it serves the other's requests.
"""

from __future__ import annotations

import threading
from typing import Any

from pmh_jupyter.grading.runtime.marshalling import exceptions
from pmh_jupyter.grading.runtime.marshalling.codec import Codec
from pmh_jupyter.grading.runtime.marshalling.replicas import Replica, Replicas
from pmh_jupyter.grading.runtime.proxies.marshaller import Marshaller
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import ValueTooLarge

__builtins__ = BUILTINS

REQUEST, RESULT, ERROR = 0, 1, 2
FIELD_COUNT = 6
MAX_CALL_DEPTH = 40
_ENCODE_ERRORS = (ValueTooLarge, RecursionError, MemoryError, TypeError, ReferenceError)


# What a table holds now, to be compared with what it held: nothing of it is sent, so nothing in it is given or described.
_SNAPSHOT_CODEC = Codec(lambda value: ["held", id(value)], lambda snapshot_form: None)


class TimeLimitReached(BaseException):
    """The time of a test cell is up while the judge's own code runs."""


class Peer:
    """What both sides have in common. `judge`: which side this is. The hooks below `serve` are for the subclasses."""

    def __init__(self, link: Link, *, is_judge: bool) -> None:
        self.link = link
        self.failure: PeerLost | None = None
        self.is_retired = False
        self.call_depth = 0
        self.request_count = 0
        self._is_judge = is_judge
        self.marshaller = Marshaller(self, trusts_peer=not is_judge)
        self.codec = self.marshaller.codec
        self.replicas = Replicas(1 if is_judge else -1, _SNAPSHOT_CODEC.encode)
        self._released_replicas: list[int] = []
        self._lock = threading.RLock()

    # What is done to a stand-in.

    def get_attribute(self, target: Any, name: str) -> Any:
        """An attribute of an object over there."""
        return self.request("get-attribute", target, name)

    def set_attribute(self, target: Any, name: str, value: Any) -> None:
        """Sets an attribute over there."""
        self.request("set-attribute", target, name, value)

    def delete_attribute(self, target: Any, name: str) -> None:
        """Deletes an attribute over there."""
        self.request("delete-attribute", target, name)

    def list_attributes(self, target: Any) -> list[str]:
        """What `dir` says of an object over there."""
        names = self.request("list-attributes", target)
        return [name for name in names if type(name) is str] if type(names) is list else []

    def call(self, target: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Calls an object over there."""
        return self.request("call", target, tuple(arguments), tuple(keywords), tuple(keywords.values()))

    def apply_operator(self, target: Any, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Does an operator to an object over there."""
        if name == "call":
            return self.call(target, arguments, keywords)
        return self.request("apply-operator", target, name, tuple(arguments), tuple(keywords), tuple(keywords.values()))

    def recognizes(self, target: Any, name: str, other: Any) -> bool:
        """Whether a class over there takes for its own what does not derive from it (`register`, a protocol)."""
        return self.request("apply-operator", target, name, (other,), (), ()) is True

    def copy(self, target: Any, deep: bool) -> Any:
        """A copy, over there, of an object over there."""
        return self.request("copy-object", target, deep)

    def await_result(self, target: Any) -> Any:
        """The result of an awaitable over there, which runs to its end."""
        return self.request("await-result", target)

    # The conversation.

    def request(self, operation: str, *arguments: Any) -> Any:
        """The other side's answer. Raises what it answered with, `Lost`, or `TooMuch` and the like for what cannot be sent."""
        with self._lock:
            if self.is_retired:
                raise ReferenceError("this object went away with the process that had it")
            if self.failure is not None:
                raise PeerLost(self.failure.cause, self.failure.detail)
            if self.call_depth >= MAX_CALL_DEPTH:
                raise RecursionError("the test and the notebook call each other too deeply")
            self.before_request()
            self.call_depth += 1
            self.request_count += 1
            try:
                self._send_message(REQUEST, arguments, [], [operation])
                return self._await_reply()
            except PeerLost as failure:
                self.failure = failure
                raise
            except TimeLimitReached:
                # Whatever was being said is cut short: nothing that comes now answers anything.
                self.failure = PeerLost("cell-timeout", "The time is up.")
                raise
            finally:
                self.call_depth -= 1

    def _send_message(
        self, message_kind: int, content: Any, received_replicas: list[Replica], extra_fields: list[Any]
    ) -> None:
        changed_values = self.replicas.changed_values(received_replicas, only_remote=self._is_judge)
        if self._is_judge:
            self._released_replicas += self.replicas.release_unused()
        dropped_references = self.marshaller.dropped_references
        count = len(dropped_references)
        self.replicas.begin_message()
        self.marshaller.newly_described_classes.clear()
        try:
            payload = self.codec.encode((content, changed_values), self.replicas)
            released = [[list(pair) for pair in dropped_references[:count]], self._released_replicas]
            self.link.send([message_kind, payload, *released, *self.take_output(), *extra_fields])
        except _ENCODE_ERRORS:
            self.replicas.undo_message()
            self.marshaller.exported_objects.mark_undescribed(self.marshaller.newly_described_classes)
            raise
        del dropped_references[:count]
        self._released_replicas = []

    def _await_reply(self) -> Any:
        """Serves the other side's requests until its answer comes."""
        while True:
            message = self.receive()
            if message[0] == REQUEST:
                self.serve_request(message)
                continue
            value, _ = self._decode_message(message, include_large=False)
            if message[0] == RESULT:
                return value
            if not isinstance(value, BaseException):
                raise PeerLost("protocol-error", "What was raised is no exception.")
            if len(message) == FIELD_COUNT + 2:
                exceptions.set_location(value, *message[FIELD_COUNT:])
            raise value

    def receive(self) -> list[Any]:
        """The next message, of the right shape. Raises `Lost`."""
        message = self.link.receive()
        if (
            type(message) is not list
            or not FIELD_COUNT <= len(message) <= FIELD_COUNT + 2
            or message[0] not in (REQUEST, RESULT, ERROR)
        ):
            raise PeerLost("protocol-error", "A message is malformed.")
        return message

    def _decode_message(self, message: list[Any], *, include_large: bool) -> tuple[Any, list[Replica]]:
        """What a message says, and the twins that it brought. Raises `Lost` for what is malformed."""
        _, payload, dropped_references, released_replicas, printed_out, printed_err, *_ = message
        if type(printed_out) is str and type(printed_err) is str:
            self.forward_output(printed_out, printed_err)
        for pair in dropped_references if type(dropped_references) is list else ():
            if type(pair) is list and len(pair) == 2:
                self.marshaller.exported_objects.release(*pair)
        if type(released_replicas) is list and not self._is_judge:
            self.replicas.forget(released_replicas)
        try:
            decoded = self.codec.decode(payload, self.replicas)
            received_replicas = self.replicas.take_received(include_large)
        except PeerLost:
            raise
        except Exception as error:  # noqa: BLE001 - to hash or order what came may ask the other side, which raises anything
            raise PeerLost("protocol-error", f"A message is malformed: {type(error).__name__}: {error}"[:200]) from None
        if type(decoded) is not tuple or len(decoded) != 2:
            raise PeerLost("protocol-error", "A message is malformed.")
        return decoded[0], received_replicas

    def serve_request(self, message: list[Any]) -> None:
        """Answers one request. Nothing but `Lost` comes out of it."""
        arguments, received_replicas = self._decode_message(message, include_large=True)
        message_kind, location = RESULT, []
        self.call_depth += 1
        try:
            if self.call_depth > MAX_CALL_DEPTH:
                raise RecursionError("the test and the notebook call each other too deeply")
            result = self.handle_request(message[FIELD_COUNT], arguments)
        except (PeerLost, TimeLimitReached):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the code here raises, SystemExit too, the other side hears
            message_kind, result, location = ERROR, self.sanitize_error(error), self.locate_error(error)
        finally:
            self.call_depth -= 1
        self._reply(message_kind, result, received_replicas, location)

    def _reply(self, message_kind: int, result: Any, received_replicas: list[Replica], location: list[int]) -> None:
        try:
            self._send_message(message_kind, result, received_replicas, location)
        except _ENCODE_ERRORS as error:
            problem = ValueError(f"a value cannot leave its process: {error}"[:300])
            self._send_message(ERROR, problem, [], [])

    # Hooks.

    def handle_request(self, operation: Any, arguments: Any) -> Any:
        """Does what is asked; whatever it raises is the answer."""
        raise NotImplementedError

    def before_request(self) -> None:
        """A request is about to be made."""

    def take_output(self) -> tuple[str, str]:
        """What was printed here since the last message."""
        return "", ""

    def forward_output(self, printed_out: str, printed_err: str) -> None:
        """What was printed over there."""

    def sanitize_error(self, error: BaseException) -> BaseException:
        """The exception that the other side may see for one raised here."""
        return error

    def locate_error(self, error: BaseException) -> list[int]:
        """Cell and line where it came from, if that is told."""
        return []
