"""Splits source text into lines exactly as Python's parser counts them.

`str.splitlines` also breaks lines at form feeds, vertical tabs, NEL, U+2028 and others, which Python does not: line numbers of a syntax
tree would then point at other lines. Python's rule: a line ends at a line feed, a carriage return, or both together
(https://docs.python.org/3/reference/lexical_analysis.html#physical-lines).
"""

from __future__ import annotations

import re

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def split_source_lines(source: str, keepends: bool = False) -> list[str]:
    """Return the lines of a source, with or without their line ends. An empty text after the last line end does not count as a line."""
    lines: list[str] = _LINE.findall(source)
    return lines if keepends else [line.rstrip("\r\n") for line in lines]


def find_last_code_line(source: str) -> tuple[int, str]:
    """Return the number, from 0, and the text of the last line that is neither blank nor a comment; -1 and "" if there is none."""
    lines = enumerate(split_source_lines(source))
    return max(((n, line) for n, line in lines if line.strip() and not line.lstrip().startswith("#")), default=(-1, ""))
