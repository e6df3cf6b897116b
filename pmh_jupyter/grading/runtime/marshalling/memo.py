"""Numbers the mutable values of messages, so that an object that occurs twice arrives as one object."""

from __future__ import annotations

from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS


class Memo:
    """Numbers the mutable values of one message. A longer-lived memo overrides these methods.

    Encoding calls `assign_number`. Decoding calls `find_known_value` before it creates a value, and `remember` with the value that it
    created (with a container before it is filled). The numbers are the sender's; the receiver's memo must distinguish them from its own.
    """

    def __init__(self) -> None:
        self._numbers_by_id: dict[int, int] = {}
        # Keeps the numbered values alive: Python may reuse the id of a deleted object.
        self._values: list[object] = []

    def assign_number(self, value: object) -> int:
        """Return the number (64 bits, signed) of a value that is sent, the same number each time."""
        number = self._numbers_by_id.setdefault(id(value), len(self._numbers_by_id))
        if number == len(self._values):
            self._values.append(value)
        return number

    def find_known_value(self, number: int) -> object | None:
        """Return the copy that an earlier message made for this number, or None."""
        return None

    def remember(self, number: int, value: object) -> None:
        """Record the copy that was made for this number."""

    def is_protected(self, number: int) -> bool:
        """Return whether the value with this number is read-only for the other side."""
        return False

    def begin_change(self, number: int) -> None:
        """Prepare for a value that comes back and may have changed."""

    def settle(self, number: int, received: Any) -> Any:
        """Return the value to use for a protected one that comes back: the value itself if it is unchanged, else the received one."""
        return received
