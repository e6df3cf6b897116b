"""Executes a student's cells: with IPython if the notebook needs it, otherwise with plain `exec`, which is ten times as fast.

Both use the namespace of the same shell, so IPython's own names (`get_ipython`, `In`, …) are defined either way.
"""

from __future__ import annotations
import __future__

import linecache
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from pmh_jupyter.grading.runtime.execution.shell import CELL_FILENAME_FORMAT, Shell, describe_cell_error
from pmh_jupyter.grading.runtime.sandbox.resource_check import exit_if_exhausted
from pmh_jupyter.python_source.lines import split_source_lines

# Lines and words that suggest IPython's syntax or names. A false match only costs a few milliseconds.
IPYTHON_SYNTAX = re.compile(
    r"^[ \t]*(?:[%!?]|>>>|In \[|\.\.\. )"  # magics, commands, help, prompts
    r"|^[,;/][A-Za-z_]"  # quoted calls
    r"|=[ \t]*[%!](?!=)"  # x = %magic, x = !command
    r"|\?[ \t]*$"  # help behind a name
    r"|\A(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]+[^\s#]"  # a cell that is indented as a whole
    r"|\b(?:await|get_ipython|display|In|Out|_ih|_oh|_dh|_exit_code)\b|\basync\s+(?:for|with)\b",
    re.MULTILINE,
)
IPYTHON_HISTORY_NAME = re.compile(r"(?<![\w.])(?:_{1,3}|_i{1,3}|_i?\d+)(?!\w)")
UNDERSCORE_ASSIGNMENT = re.compile(r"(?<!\w)_\s*(?:,|=(?!=))|,\s*_\s*=")
FUTURE_FLAGS = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


def needs_ipython(sources: Iterable[str]) -> bool:
    """Return whether a notebook may use something that only IPython provides."""
    sources = list(sources)
    return any(IPYTHON_SYNTAX.search(source) for source in sources) or _reads_history("\n".join(sources))


def _reads_history(text: str) -> bool:
    """Return whether names of IPython's history are read.

    `_` is not one of them if the notebook binds it, as a name for an unused value.
    """
    names = set(IPYTHON_HISTORY_NAME.findall(text))
    if "_" in names and (UNDERSCORE_ASSIGNMENT.search(text) or _loops_over_underscore(text)):
        names.discard("_")
    return bool(names)


def _loops_over_underscore(text: str) -> bool:
    """Return whether `_` is between `for` and `in`. A pattern for this would take minutes for a comment that repeats `for _`."""
    for part in re.split(r"[:\n]", text):
        words = iter(re.findall(r"\w+", part))
        if "for" in words and "_" in words and "in" in words:  # each search continues after the previous word
            return True
    return False


class CellExecutor:
    """Runs the cells of one notebook, in order.

    `leading_blank_lines` maps a cell's number to the blank lines at its top, which IPython removes before it counts lines.
    """

    def __init__(self, shell: Shell, *, is_plain_python: bool) -> None:
        self.shell, self.is_plain_python = shell, is_plain_python
        self.leading_blank_lines: dict[int, int] = {}
        self.future_flags = 0

    def run(self, number: int, source: str) -> dict[str, Any] | None:
        """Run a cell. Returns the error that it raised (see `describe_cell_error`), or None."""
        error = (
            self._run_plain_python(number, source) if self.is_plain_python else self._run_with_ipython(number, source)
        )
        cell_error = None if error is None else describe_cell_error(error, self.leading_blank_lines)
        _close_figures()
        del error  # its traceback keeps the frames of the cell's functions and their local values alive
        exit_if_exhausted()
        return cell_error

    def _run_with_ipython(self, number: int, source: str) -> BaseException | None:
        self.leading_blank_lines[number] = _count_leading_blank_lines(source)
        try:
            return self.shell.run_student_cell(number, source)
        except BaseException as error:  # noqa: BLE001 - IPython itself raises for some sources (null bytes, surrogates)
            return error

    def _run_plain_python(self, number: int, source: str) -> BaseException | None:
        filename = CELL_FILENAME_FORMAT.format(number)
        try:
            linecache.cache[filename] = (len(source), None, split_source_lines(source, keepends=True), filename)
            code = compile(source, filename, "exec", self.future_flags, dont_inherit=True)
            self.future_flags |= code.co_flags & FUTURE_FLAGS
            exec(code, self.shell.user_ns)
        except BaseException as error:  # noqa: BLE001 - any error is the cell's result
            return error
        return None


def _close_figures() -> None:
    """Close the figures of a cell, as Jupyter does after displaying them. The next cell starts without figures."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        with suppress(Exception):  # the student's code may have replaced anything
            pyplot.close("all")


def _count_leading_blank_lines(source: str) -> int:
    lines = split_source_lines(source)
    return next((number for number, line in enumerate(lines) if line.strip()), 0)
