"""Collects the integrity flags of a test cell."""

from __future__ import annotations

from collections.abc import Iterable

from pmh_jupyter.grading.runtime.transport.result_fields import FlagFields, make_flag

MAX_FLAGS = 100


class FlagCollector:
    """The first flags of one test cell, without duplicates."""

    def __init__(self) -> None:
        self.flags: list[FlagFields] = []

    def add(self, code: str, detail: str) -> None:
        flag = make_flag(code, detail)
        if len(self.flags) < MAX_FLAGS and flag not in self.flags:
            self.flags.append(flag)

    def extend(self, flags: Iterable[FlagFields]) -> None:
        for flag in flags:
            self.add(flag["code"], flag["detail"])

    def pop_flags(self) -> list[FlagFields]:
        """Return the flags since the last call."""
        flags, self.flags = self.flags, []
        return flags
