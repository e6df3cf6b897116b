"""Lines of source code, counted as Python counts them.

`str.splitlines` also ends a line at a form feed, a vertical tab, NEL, U+2028 and other separators. Python's tokenizer does not, so line
numbers of syntax trees, tracebacks and marker comments agree only if the same rule splits the source for all of them.
"""

from __future__ import annotations

import re

# The line ends of Python's lexical analysis: https://docs.python.org/3/reference/lexical_analysis.html#physical-lines
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def split_source_lines(source: str, keepends: bool = False) -> list[str]:
    """Return the lines of a source, ended by LF, CR LF or CR only. Like `str.splitlines`, gives no empty line after the last line end."""
    lines: list[str] = _LINE.findall(source)
    return lines if keepends else [line.rstrip("\r\n") for line in lines]
