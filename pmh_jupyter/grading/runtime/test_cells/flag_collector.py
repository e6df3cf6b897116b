"""Collects the integrity flags of a test cell."""

from __future__ import annotations

from collections.abc import Iterable

Flag = dict[str, str]
MAX_FLAGS = 50


class FlagCollector:
    """The flags of one test cell, without duplicates."""

    def __init__(self, flags: list[Flag]) -> None:
        self.flags = flags

    def add(self, code: str, detail: str) -> None:
        flag = {"code": code, "detail": detail[:200]}
        if flag not in self.flags and len(self.flags) < MAX_FLAGS:
            self.flags.append(flag)

    def extend(self, flags: Iterable[Flag]) -> None:
        for flag in flags:
            self.add(flag["code"], flag["detail"])
