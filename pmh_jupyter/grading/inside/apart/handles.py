"""Objects that stay where they are: each side counts what it gave, and tells what it no longer holds."""

from __future__ import annotations

from typing import Any

from .forms import BadForm
from .own import BUILTINS

__builtins__ = BUILTINS

MOST_CLASSES = 20_000


class Handle:
    """The other side's number of an object, held by its stand-in here; telling what was held when it goes away."""

    __slots__ = ("count", "dropped", "number", "peer")

    def __init__(self, peer: Peer, number: int, dropped: list[tuple[int, int]]) -> None:
        self.peer, self.number, self.count, self.dropped = peer, number, 0, dropped

    def __del__(self) -> None:
        # The other side subtracts exactly what arrived here: what it sends at this moment stays alive.
        if self.count:
            self.dropped.append((self.number, self.count))


class Given:
    """What this side gave the other by number. An object lives until it was dropped as often as it was sent."""

    def __init__(self) -> None:
        self._next = 0
        self._objects: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._counts: dict[int, int] = {}
        self._described: set[int] = set()
        self.offered: set[int] = set()

    def give(self, value: Any) -> int:
        """The number under which the other side may name this object; counts as one sending."""
        number = self._number(value)
        self._counts[number] = self._counts.get(number, 0) + 1
        self.offered.add(number)
        return number

    def give_class(self, kind: type) -> tuple[int, bool]:
        """The number of a class, which is never dropped, and whether it still has to be described."""
        number = self._number(kind)
        fresh = number not in self._described
        self._described.add(number)
        return number, fresh

    def undescribe(self, numbers: list[int]) -> None:
        """What was to describe these classes was never sent."""
        self._described.difference_update(numbers)

    def find(self, number: object) -> Any:
        """The object of this number; BadForm where there is none."""
        if type(number) is not int or number not in self._objects:
            raise BadForm("No object was given under this number.")
        return self._objects[number]

    def is_offered(self, value: Any) -> bool:
        """Whether this very object was given as a value, and not only as the class of one."""
        number = self._numbers.get(id(value))
        return number is not None and self._objects[number] is value and number in self.offered

    def drop(self, number: object, count: object) -> None:
        """The other side has given up an object as often as that."""
        if type(number) is not int or type(count) is not int or number not in self._counts:
            return
        self._counts[number] -= count
        if self._counts[number] <= 0 and number not in self._described:
            del self._counts[number]
            self.offered.discard(number)
            del self._numbers[id(self._objects.pop(number))]

    def _number(self, value: Any) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            self._next += 1
            number = self._numbers[id(value)] = self._next
            self._objects[number] = value
        return number


from .peer import Peer  # RENAME-ONLY
