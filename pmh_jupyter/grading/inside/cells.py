"""Runs a student's cells: by IPython where a notebook needs it, else by plain `exec`, which is ten times as fast.

Both run in the same shell's namespace, in which IPython's own names (`get_ipython`, `In`, …) stand either way.
"""

from __future__ import annotations
import __future__

import linecache
import re
from collections.abc import Iterable
from typing import Any

from .sandbox.fit import end_if_unfit
from .shell import PLACE, Shell, fault_of

# Lines and words by which IPython's syntax and names are known. To find one where there is none costs milliseconds only.
SYNTAX = re.compile(
    r"^[ \t]*(?:[%!?]|>>>|In \[|\.\.\. )"  # magics, commands, help, prompts
    r"|^[,;/][A-Za-z_]"  # quoted calls
    r"|=[ \t]*[%!](?!=)"  # x = %magic, x = !command
    r"|\?[ \t]*$"  # help behind a name
    r"|\A(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]+[^\s#]"  # a cell that is indented as a whole
    r"|\b(?:await|get_ipython|display|In|Out|_ih|_oh|_dh|_exit_code)\b|\basync\s+(?:for|with)\b",
    re.MULTILINE,
)
HISTORY = re.compile(r"(?<![\w.])(?:_{1,3}|_i{1,3}|_i?\d+)(?!\w)")
FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


def needs_ipython(sources: Iterable[str]) -> bool:
    """True where a notebook may use what only IPython gives."""
    sources = list(sources)
    return any(SYNTAX.search(source) for source in sources) or _reads_history("\n".join(sources))


def _reads_history(text: str) -> bool:
    """`_` alone is mostly a name for what is not used: where it is bound once it counts as one."""
    names = set(HISTORY.findall(text))
    if "_" in names and re.search(r"\bfor\b[^:\n]*(?<!\w)_(?!\w)[^:\n]*\bin\b|(?<!\w)_\s*(?:,|=(?!=))|,\s*_\s*=", text):
        names.discard("_")
    return bool(names)


class Cells:
    """`shifts` has, for each cell, the blank lines at its top that are not counted in its tracebacks."""

    def __init__(self, shell: Shell, *, plain: bool) -> None:
        self.shell, self.plain = shell, plain
        self.shifts: dict[int, int] = {}
        self.future = 0

    def run(self, number: int, source: str) -> dict[str, Any] | None:
        """Runs a cell; answers what it raised (see `fault_of`), or None."""
        error = self._exec(number, source) if self.plain else self._run_cell(number, source)
        fault = None if error is None else fault_of(error, self.shifts)
        del error  # with its traceback go the names of functions that were cut off, and what they hold
        end_if_unfit()
        return fault

    def _run_cell(self, number: int, source: str) -> BaseException | None:
        self.shifts[number] = _blank_lines(source)
        try:
            return self.shell.run_student_cell(number, source)
        except BaseException as raised:  # noqa: BLE001 - IPython itself stumbles over some sources (null bytes, surrogates)
            return raised

    def _exec(self, number: int, source: str) -> BaseException | None:
        place = PLACE.format(number)
        try:
            linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
            code = compile(source, place, "exec", self.future, dont_inherit=True)
            self.future |= code.co_flags & FUTURE
            exec(code, self.shell.user_ns)
        except BaseException as raised:  # noqa: BLE001 - whatever it is, it is the cell's
            return raised
        return None


def _blank_lines(source: str) -> int:
    lines = source.splitlines()
    return next((number for number, line in enumerate(lines) if line.strip()), 0)
