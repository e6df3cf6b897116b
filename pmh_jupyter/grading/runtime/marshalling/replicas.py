"""Mutable values that exist in both processes: an object keeps its identity, and each side sees the changes of the other.

Besides its content, each message carries the values that have changed since the last message. Large values are compared only after a
request that brought them. A value of the judge has a number only if a request has passed it, so the student process never receives a value
that a test did not pass. It does receive later changes of such a value by the test, as in a notebook.
"""

from __future__ import annotations

import operator
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol

import msgspec

from pmh_jupyter.grading.runtime.marshalling.memo import Memo
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError

__builtins__ = BUILTINS

MAX_SMALL_ITEMS = 5_000
MAX_SMALL_BYTES = 1 << 16
MAX_ACTIVE = 256
# Values that this side has passed are compared, too. A test may pass many values one after another.
MAX_ACTIVE_OWN = 32


class Replica:
    """A value, its number, and its content when both copies were last known to be equal (None: unknown)."""

    __slots__ = ("number", "snapshot", "value")

    def __init__(self, number: int, value: Any) -> None:
        self.number, self.value = number, value
        self.snapshot: Any = None


@dataclass(frozen=True, eq=False)
class RefusedChange:
    """A change that the other side made to a value of this side without permission.

    received: the changed value from the other side. content: the content of the value here, which stays unchanged.
    """

    value: Any
    received: Any
    content: bytes


class ChangePolicy(Protocol):
    """Decides whether the other side may change the values of this side."""

    @property
    def is_recording(self) -> bool: ...
    def permits_changes(self) -> bool: ...
    def record_change(self) -> None: ...


class Replicas(Memo):
    """The replicas of one process.

    sign: 1 or -1, the sign of the numbers that this side assigns. encode: returns the content of an array or a table for comparison.

    `change_policy`: whether the other side may change the values of this side; None if it always may.
    """

    def __init__(self, sign: int, encode: Callable[[Any], Any]) -> None:
        super().__init__()
        self._sign, self._encode = sign, encode
        self._last_number = 0
        self._by_id: dict[int, Replica] = {}
        self._by_number: OrderedDict[int, Replica] = OrderedDict()
        # With their previous snapshots, and whether their numbers are new.
        self._sent_replicas: list[tuple[Replica, Any, bool]] = []
        self._received_replicas: list[Replica] = []
        self._sweep_count = 0
        self.change_policy: ChangePolicy | None = None
        self.refused_changes: list[RefusedChange] = []
        # For values of this side that came back changed, by the id of the received value: the value, and the received value.
        self._originals: dict[int, tuple[Any, Any]] = {}
        # While recording: this side's values in the message being decoded, with their previous content.
        self._returned_values: list[tuple[Any, bytes]] = []

    def assign_number(self, value: object) -> int:
        replica = self._by_id.get(id(value))
        is_new = replica is None
        if replica is None:
            self._last_number += 1
            replica = self._add(self._sign * self._last_number, value)
        self._sent_replicas.append((replica, replica.snapshot, is_new))
        replica.snapshot = self._take_snapshot(value, False)
        self._by_number.move_to_end(replica.number)
        return replica.number

    def find_known_value(self, number: int) -> object | None:
        replica = self._by_number.get(number)
        return None if replica is None else replica.value

    def remember(self, number: int, value: object) -> None:
        replica = self._by_number.get(number)
        if replica is None:
            if number * self._sign >= 0:
                raise WireFormatError("This side never assigned this number.")
            replica = self._add(number, value)
        elif replica.value is not value:
            del self._by_id[id(replica.value)]
            replica.value = value
            self._by_id[id(value)] = replica
        self._by_number.move_to_end(number)
        self._received_replicas.append(replica)

    def is_protected(self, number: int) -> bool:
        return self.change_policy is not None and number * self._sign > 0 and not self.change_policy.permits_changes()

    def begin_change(self, number: int) -> None:
        replica = self._by_number.get(number)
        if replica is None or self.change_policy is None or not self.change_policy.is_recording:
            return
        if number * self._sign > 0:
            self._returned_values.append((replica.value, self._encode_content(replica.value)))

    def settle(self, number: int, received: Any) -> Any:
        replica = self._by_number.get(number)
        if replica is None:
            raise WireFormatError("This side never assigned this number.")
        if not self.has_same_content(replica.value, received):
            self.refused_changes.append(RefusedChange(replica.value, received, self._encode_content(replica.value)))
            self._originals[id(received)] = replica.value, received
            return received
        self._by_number.move_to_end(number)
        self._received_replicas.append(replica)
        return replica.value

    def find_original(self, value: Any) -> Any:
        """Return the value of this side of which a received one is the changed copy. Any other value is returned unchanged."""
        return self._originals.get(id(value), (value,))[0]

    def discard_outdated_changes(self) -> None:
        """Forget refused changes of values that have changed again, on this side or the other."""
        latest_changes = {id(change.value): change for change in self.refused_changes}
        self.refused_changes[:] = [
            change for change in latest_changes.values() if self._encode_content(change.value) == change.content
        ]

    def has_same_content(self, value: Any, other: Any) -> bool:
        """Return whether two values have the same type and content."""
        return type(value) is type(other) and (
            self._encode_content(value) == self._encode_content(other) or (type(value) is set and bool(value == other))
        )

    def _encode_content(self, value: Any) -> bytes:
        """Return bytes that represent the content of a value. Bytes are compared, because a NaN does not equal itself."""
        return msgspec.msgpack.encode(self._encode(value))

    def begin_message(self) -> None:
        """Start a new outgoing message."""
        self._sent_replicas.clear()

    def undo_message(self) -> None:
        """Roll back the bookkeeping for a message that was not sent: numbers assigned for it, and values marked as sent."""
        for replica, previous_snapshot, is_new in reversed(self._sent_replicas):
            replica.snapshot = previous_snapshot
            if is_new:
                self._remove(replica)
        self._sent_replicas.clear()

    def pop_received(self, include_large: bool) -> list[Replica]:
        """Return the replicas of the last received message, which are equal now. Large ones are recorded only if `include_large`."""
        replicas, self._received_replicas = self._received_replicas, []
        returned_values, self._returned_values = self._returned_values, []
        if self.change_policy is not None and any(
            self._encode_content(value) != content for value, content in returned_values
        ):
            self.change_policy.record_change()
        for replica in replicas:
            replica.snapshot = self._take_snapshot(replica.value, include_large)
        return replicas

    def find_changed_values(self, received_replicas: list[Replica], *, max_own: int) -> tuple[Any, ...]:
        """Return the values that differ from the other side's copy, of those just received and of the small ones used recently.

        max_own: of how many of this side's own values.
        """
        if not (self._by_number or received_replicas):
            return ()
        candidates = {replica.number: replica for replica in received_replicas}
        for replica in islice(reversed(self._by_number.values()), MAX_ACTIVE):
            if replica.number * self._sign > 0:
                max_own -= 1
                if max_own < 0:
                    continue
            candidates[replica.number] = replica
        return tuple(
            replica.value
            for replica in candidates.values()
            if replica.snapshot is not None and not self._is_unchanged(replica)
        )

    def drop_changes(self, values: Iterable[Any]) -> None:
        """Send no more changes of these values, unless a message contains them."""
        for value in values:
            if (replica := self._by_id.get(id(value))) is not None:
                replica.snapshot = None

    def accept_differences(self, values: list[Any]) -> None:
        """Assume that the other side has the present content of these values."""
        for value in values:
            replica = self._by_id.get(id(value))
            if replica is not None and replica.snapshot is not None:
                replica.snapshot = self._take_snapshot(value, True)
        value_ids = set(map(id, values))
        self.refused_changes[:] = [
            replace(change, content=self._encode_content(change.value)) if id(change.value) in value_ids else change
            for change in self.refused_changes
        ]

    def release_unused(self) -> list[int]:
        """Forget replicas without further references in this process. Returns their numbers, for the other side."""
        self._sweep_count += 1
        if len(self._by_number) > MAX_ACTIVE and self._sweep_count % 64:
            return []
        unreferenced_replicas = [
            replica for replica in self._by_number.values() if sys.getrefcount(replica.value) <= _MIN_REFERENCES
        ]
        for replica in unreferenced_replicas:
            self._remove(replica)
        return [replica.number for replica in unreferenced_replicas]

    def forget(self, numbers: list[Any]) -> None:
        """Forget replicas that the other side no longer has."""
        for number in numbers:
            replica = self._by_number.get(number) if type(number) is int else None
            if replica is not None:
                self._remove(replica)

    def forget_all(self) -> list[int]:
        """Forget all replicas: their copies become independent. Returns their numbers, for the other side."""
        numbers = list(self._by_number)
        self.forget(numbers)
        self._originals.clear()
        return numbers

    def _add(self, number: int, value: Any) -> Replica:
        replica = self._by_id[id(value)] = self._by_number[number] = Replica(number, value)
        return replica

    def _remove(self, replica: Replica) -> None:
        if self._by_number.pop(replica.number, None) is not None:
            self._by_id.pop(id(replica.value), None)

    def _is_unchanged(self, replica: Replica) -> bool:
        value, snapshot = replica.value, replica.snapshot
        if type(value) is list:
            return len(value) == len(snapshot) and all(map(operator.is_, value, snapshot))
        current = self._take_snapshot(value, True)
        if type(value) in (set, deque):
            if len(current) != len(snapshot):
                return False
            return all(map(operator.is_, current, snapshot)) or (
                type(value) is set and set(map(id, current)) == set(map(id, snapshot))
            )
        if isinstance(value, dict):
            return len(current) == len(snapshot) and all(map(operator.is_, current, snapshot))
        return bool(current == snapshot)

    def _take_snapshot(self, value: Any, include_large: bool) -> Any:
        """Return the content of the value, one level deep; None for a large one unless `include_large`."""
        cls = type(value)
        if cls in (list, set, deque):
            return list(value) if include_large or len(value) <= MAX_SMALL_ITEMS else None
        if isinstance(value, dict):
            return [*value, *value.values()] if include_large or len(value) <= MAX_SMALL_ITEMS else None
        if cls is bytearray:
            return bytes(value) if include_large or len(value) <= MAX_SMALL_BYTES else None
        if cls.__module__ == "numpy" and not (include_large or value.nbytes <= MAX_SMALL_BYTES):
            return None
        return self._encode(value) if include_large or cls.__module__ == "numpy" else None


def _count_references() -> int:
    replica = Replica(0, [])
    return sys.getrefcount(replica.value)


_MIN_REFERENCES = _count_references()
