"""Decides what a test cell compares, and whether the result counts."""

from __future__ import annotations

from typing import Any


class Comparator:
    """Compares as Python does."""

    statement_line = 0  # of the statement that is being run

    def prepare(self, name: str, left: Any, right: Any) -> tuple[Any, Any] | None:
        """Return the operands to compare. None if the result of the operator must not count."""
        return left, right

    def prepare_arithmetic(self, name: str, left: Any, right: Any) -> tuple[Any, Any] | None:
        """Return the operands of an arithmetic operator. None if it must not be applied."""
        return left, right

    def is_true(self, value: Any) -> bool:
        """Return whether a value counts as true."""
        return bool(value)

    def is_false(self, value: Any) -> bool:
        """Return whether a value counts as false."""
        return not value

    def is_instance(self, value: Any, class_or_tuple: Any) -> bool:
        """Return whether a true result of `isinstance` counts."""
        return True
