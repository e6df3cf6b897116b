"""Mutable values that both sides have a copy of: one object stays one object, and what one side changes the other sees.

Each message carries, besides what it says, the values that were changed since the last one. Large ones are compared only
where a request brought them; the judge's own only go over when a request names them: nobody is sent what was not handed out.
"""

from __future__ import annotations

import operator
import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

from pmh_jupyter.grading.runtime.marshalling.codec import Memo
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError

__builtins__ = BUILTINS

MAX_SMALL_ITEMS = 5_000
MAX_SMALL_BYTES = 1 << 16
MAX_ACTIVE = 256


class Replica:
    """A value, its number, and what it held when both copies were last known to be the same (None: not known)."""

    __slots__ = ("number", "snapshot", "value")

    def __init__(self, number: int, value: Any) -> None:
        self.number, self.value = number, value
        self.snapshot: Any = None


class Replicas(Memo):
    """One side's twins. `sign`: of the numbers that this side gives. `snapshot`: of a table, its form."""

    def __init__(self, sign: int, encode: Callable[[Any], Any]) -> None:
        super().__init__()
        self._sign, self._encode = sign, encode
        self._last_number = 0
        self._by_id: dict[int, Replica] = {}
        self._by_number: OrderedDict[int, Replica] = OrderedDict()
        self._sent_replicas: list[Replica] = []
        self._received_replicas: list[Replica] = []
        self._sweep_count = 0

    def number_for(self, value: object) -> int:
        replica = self._by_id.get(id(value))
        if replica is None:
            self._last_number += 1
            replica = self._add(self._sign * self._last_number, value)
        replica.snapshot = self._take_snapshot(value, False)
        self._sent_replicas.append(replica)
        self._by_number.move_to_end(replica.number)
        return replica.number

    def known_value(self, number: int) -> object | None:
        replica = self._by_number.get(number)
        return None if replica is None else replica.value

    def remember(self, number: int, value: object) -> None:
        replica = self._by_number.get(number)
        if replica is None:
            if number * self._sign >= 0:
                raise WireFormatError("A number that this side never gave.")
            replica = self._add(number, value)
        elif replica.value is not value:
            del self._by_id[id(replica.value)]
            replica.value = value
            self._by_id[id(value)] = replica
        self._by_number.move_to_end(number)
        self._received_replicas.append(replica)

    def begin_message(self) -> None:
        """A message is about to be written."""
        self._sent_replicas.clear()

    def undo_message(self) -> None:
        """The message that was being written never left: the other side knows nothing of what it numbered."""
        for replica in self._sent_replicas:
            self._remove(replica)
        self._sent_replicas.clear()

    def take_received(self, include_large: bool) -> list[Replica]:
        """The twins that the message just read brought, now known to be the same; large ones too if `heavy`."""
        replicas, self._received_replicas = self._received_replicas, []
        for replica in replicas:
            replica.snapshot = self._take_snapshot(replica.value, include_large)
        return replicas

    def changed_values(self, received: list[Replica], *, only_remote: bool) -> tuple[Any, ...]:
        """The values that differ from the other side's copy: of those brought, and of the light ones used last."""
        active = list(self._by_number.values())[-MAX_ACTIVE:]
        if only_remote:
            active = [replica for replica in active if replica.number * self._sign < 0]
        candidates = {replica.number: replica for replica in [*received, *active] if replica.snapshot is not None}
        return tuple(replica.value for replica in candidates.values() if not self._is_unchanged(replica))

    def release_unused(self) -> list[int]:
        """Forgets the twins that nobody on this side holds any more; their numbers, for the other side."""
        self._sweep_count += 1
        if len(self._by_number) > MAX_ACTIVE and self._sweep_count % 64:
            return []
        unreferenced = [
            replica for replica in self._by_number.values() if sys.getrefcount(replica.value) <= _MIN_REFERENCES
        ]
        for replica in unreferenced:
            self._remove(replica)
        return [replica.number for replica in unreferenced]

    def forget(self, numbers: list[Any]) -> None:
        """The other side no longer holds these."""
        for number in numbers:
            replica = self._by_number.get(number) if type(number) is int else None
            if replica is not None:
                self._remove(replica)

    def forget_all(self) -> list[int]:
        """Every value is on its own again; the numbers, for the other side."""
        numbers = list(self._by_number)
        self.forget(numbers)
        return numbers

    def _add(self, number: int, value: Any) -> Replica:
        replica = self._by_id[id(value)] = self._by_number[number] = Replica(number, value)
        return replica

    def _remove(self, replica: Replica) -> None:
        if self._by_number.pop(replica.number, None) is not None:
            self._by_id.pop(id(replica.value), None)

    def _is_unchanged(self, replica: Replica) -> bool:
        value, snapshot = replica.value, replica.snapshot
        current = self._take_snapshot(value, True)
        if type(value) in (set, list, deque) and type(current) is list:
            if len(current) != len(snapshot):
                return False
            return all(map(operator.is_, current, snapshot)) or (
                type(value) is set and set(map(id, current)) == set(map(id, snapshot))
            )
        if isinstance(value, dict):
            return len(current) == len(snapshot) and all(map(operator.is_, current, snapshot))
        return bool(current == snapshot)

    def _take_snapshot(self, value: Any, include_large: bool) -> Any:
        """What the value holds, one level deep; None for a large one unless `heavy`."""
        kind = type(value)
        if kind in (list, set, deque):
            return list(value) if include_large or len(value) <= MAX_SMALL_ITEMS else None
        if isinstance(value, dict):
            return [*value, *value.values()] if include_large or len(value) <= MAX_SMALL_ITEMS else None
        if kind is bytearray:
            return bytes(value) if include_large or len(value) <= MAX_SMALL_BYTES else None
        if kind.__module__ == "numpy" and not (include_large or value.nbytes <= MAX_SMALL_BYTES):
            return None
        return self._encode(value) if include_large or kind.__module__ == "numpy" else None


def _count_references() -> int:
    replica = Replica(0, [])
    return sys.getrefcount(replica.value)


_MIN_REFERENCES = _count_references()
