"""Objects that stay in their process: each side counts how often it has sent them, and reports the references that it has dropped."""

from __future__ import annotations

from typing import Any

from pmh_jupyter.grading.runtime.proxies.remote_peer import RemotePeer
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError

__builtins__ = BUILTINS

MAX_CLASSES = 20_000


class RemoteReference:
    """The other side's number of an object. When the object's proxy is deleted, it records the dropped references."""

    __slots__ = ("count", "dropped_references", "number", "peer")

    def __init__(self, peer: RemotePeer, number: int, dropped_references: list[tuple[int, int]]) -> None:
        self.peer, self.number, self.count, self.dropped_references = peer, number, 0, dropped_references

    def __del__(self) -> None:
        # The other side subtracts the exact number of arrivals, so an object that it is sending at this moment stays alive.
        if self.count:
            self.dropped_references.append((self.number, self.count))


class ObjectTable:
    """The objects that this side has sent, by number. An object stays alive until it has been dropped as often as it was sent."""

    def __init__(self) -> None:
        self._last_number = 0
        self._objects_by_number: dict[int, Any] = {}
        self._numbers_by_id: dict[int, int] = {}
        self._counts: dict[int, int] = {}
        self._described: set[int] = set()
        self.offered_numbers: set[int] = set()

    def export(self, value: Any) -> int:
        """Return the number by which the other side may name this object, and counts one sending."""
        number = self._assign_number(value)
        self._counts[number] = self._counts.get(number, 0) + 1
        self.offered_numbers.add(number)
        return number

    def export_class(self, cls: type) -> tuple[int, bool]:
        """Return the number of a class, which is never dropped, and whether it still has to be described."""
        number = self._assign_number(cls)
        is_new = number not in self._described
        self._described.add(number)
        return number, is_new

    def mark_undescribed(self, numbers: list[int]) -> None:
        """Record that the message that described these classes was not sent."""
        self._described.difference_update(numbers)

    def find(self, number: object) -> Any:
        """Return the object with this number. Raises `WireFormatError` if there is none."""
        if type(number) is not int or number not in self._objects_by_number:
            raise WireFormatError("There is no object with this number.")
        return self._objects_by_number[number]

    def is_offered(self, value: Any) -> bool:
        """Return whether this object itself was sent as a value, and not only as the class of a value."""
        number = self._numbers_by_id.get(id(value))
        return number is not None and self._objects_by_number[number] is value and number in self.offered_numbers

    def release(self, number: object, count: object) -> None:
        """Record that the other side has dropped `count` references to an object."""
        if type(number) is not int or type(count) is not int or number not in self._counts:
            return
        self._counts[number] -= count
        if self._counts[number] <= 0 and number not in self._described:
            del self._counts[number]
            self.offered_numbers.discard(number)
            del self._numbers_by_id[id(self._objects_by_number.pop(number))]

    def _assign_number(self, value: Any) -> int:
        number = self._numbers_by_id.get(id(value))
        if number is None:
            self._last_number += 1
            number = self._numbers_by_id[id(value)] = self._last_number
            self._objects_by_number[number] = value
        return number
