"""Reads files of test cases: each begins with a line `==== name`, up to the next such line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def read_named_parts(paths: Iterable[Path]) -> list[tuple[str, str]]:
    """Return the name and the text of each part, in the order of the files."""
    return [
        (name, text)
        for path in paths
        for name, _, text in (part.partition("\n") for part in path.read_text(encoding="utf-8").split("==== ")[1:])
    ]
