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

from .codec import Memo
from .forms import BadForm
from .own import BUILTINS

__builtins__ = BUILTINS

LIGHT_ITEMS = 5_000
LIGHT_BYTES = 1 << 16
MOST_ACTIVE = 256


class Twin:
    """A value, its number, and what it held when both copies were last known to be the same (None: not known)."""

    __slots__ = ("number", "seen", "value")

    def __init__(self, number: int, value: Any) -> None:
        self.number, self.value = number, value
        self.seen: Any = None


class Twins(Memo):
    """One side's twins. `sign`: of the numbers that this side gives. `snapshot`: of a table, its form."""

    def __init__(self, sign: int, form_of: Callable[[Any], Any]) -> None:
        super().__init__()
        self._sign, self._form_of = sign, form_of
        self._last = 0
        self._by_id: dict[int, Twin] = {}
        self._by_number: OrderedDict[int, Twin] = OrderedDict()
        self._sent: list[Twin] = []
        self._arrived: list[Twin] = []
        self._sweeps = 0

    def number(self, value: object) -> int:
        twin = self._by_id.get(id(value))
        if twin is None:
            self._last += 1
            twin = self._put(self._sign * self._last, value)
        twin.seen = self._snapshot(value, False)
        self._sent.append(twin)
        self._by_number.move_to_end(twin.number)
        return twin.number

    def known(self, number: int) -> object | None:
        twin = self._by_number.get(number)
        return None if twin is None else twin.value

    def keep(self, number: int, value: object) -> None:
        twin = self._by_number.get(number)
        if twin is None:
            if number * self._sign >= 0:
                raise BadForm("A number that this side never gave.")
            twin = self._put(number, value)
        elif twin.value is not value:
            del self._by_id[id(twin.value)]
            twin.value = value
            self._by_id[id(value)] = twin
        self._by_number.move_to_end(number)
        self._arrived.append(twin)

    def begin(self) -> None:
        """A message is about to be written."""
        self._sent.clear()

    def unsend(self) -> None:
        """The message that was being written never left: the other side knows nothing of what it numbered."""
        for twin in self._sent:
            self._remove(twin)
        self._sent.clear()

    def arrived(self, heavy: bool) -> list[Twin]:
        """The twins that the message just read brought, now known to be the same; large ones too if `heavy`."""
        twins, self._arrived = self._arrived, []
        for twin in twins:
            twin.seen = self._snapshot(twin.value, heavy)
        return twins

    def changed(self, brought: list[Twin], *, only_theirs: bool) -> tuple[Any, ...]:
        """The values that differ from the other side's copy: of those brought, and of the light ones used last."""
        active = list(self._by_number.values())[-MOST_ACTIVE:]
        if only_theirs:
            active = [twin for twin in active if twin.number * self._sign < 0]
        candidates = {twin.number: twin for twin in [*brought, *active] if twin.seen is not None}
        return tuple(twin.value for twin in candidates.values() if not self._same(twin))

    def unused(self) -> list[int]:
        """Forgets the twins that nobody on this side holds any more; their numbers, for the other side."""
        self._sweeps += 1
        if len(self._by_number) > MOST_ACTIVE and self._sweeps % 64:
            return []
        alone = [twin for twin in self._by_number.values() if sys.getrefcount(twin.value) <= _ALONE]
        for twin in alone:
            self._remove(twin)
        return [twin.number for twin in alone]

    def forget(self, numbers: list[Any]) -> None:
        """The other side no longer holds these."""
        for number in numbers:
            twin = self._by_number.get(number) if type(number) is int else None
            if twin is not None:
                self._remove(twin)

    def forget_all(self) -> list[int]:
        """Every value is on its own again; the numbers, for the other side."""
        numbers = list(self._by_number)
        self.forget(numbers)
        return numbers

    def _put(self, number: int, value: Any) -> Twin:
        twin = self._by_id[id(value)] = self._by_number[number] = Twin(number, value)
        return twin

    def _remove(self, twin: Twin) -> None:
        if self._by_number.pop(twin.number, None) is not None:
            self._by_id.pop(id(twin.value), None)

    def _same(self, twin: Twin) -> bool:
        value, seen = twin.value, twin.seen
        now = self._snapshot(value, True)
        if type(value) in (set, list, deque) and type(now) is list:
            if len(now) != len(seen):
                return False
            return all(map(operator.is_, now, seen)) or (type(value) is set and set(map(id, now)) == set(map(id, seen)))
        if isinstance(value, dict):
            return len(now) == len(seen) and all(map(operator.is_, now, seen))
        return bool(now == seen)

    def _snapshot(self, value: Any, heavy: bool) -> Any:
        """What the value holds, one level deep; None for a large one unless `heavy`."""
        kind = type(value)
        if kind in (list, set, deque):
            return list(value) if heavy or len(value) <= LIGHT_ITEMS else None
        if isinstance(value, dict):
            return [*value, *value.values()] if heavy or len(value) <= LIGHT_ITEMS else None
        if kind is bytearray:
            return bytes(value) if heavy or len(value) <= LIGHT_BYTES else None
        if kind.__module__ == "numpy" and not (heavy or value.nbytes <= LIGHT_BYTES):
            return None
        return self._form_of(value) if heavy or kind.__module__ == "numpy" else None


def _references() -> int:
    twin = Twin(0, [])
    return sys.getrefcount(twin.value)


_ALONE = _references()
