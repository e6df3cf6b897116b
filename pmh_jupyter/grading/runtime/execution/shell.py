"""The IPython shell in which a notebook runs, and where in the notebook an exception showed."""

from __future__ import annotations

import os
import traceback
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from pmh_jupyter.grading.runtime.execution.text_clipping import clip

CELL_FILENAME_FORMAT = "<cell {}>"


class CellCompiler(CachingCompiler):
    """Names the code of each cell by the cell's number, so that a traceback can be led back to it."""

    filename = CELL_FILENAME_FORMAT.format(0)

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        return self.filename


class Shell(InteractiveShell):
    """IPython without a terminal, history, profile of the student's, or tracebacks on the screen."""

    compiler_class = Type(CellCompiler)

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no screen; `%matplotlib inline` must not fail for that."""

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        """The error is reported by `fault_of`; formatting it costs more than running most cells."""

    def showsyntaxerror(self, *args: Any, **kwargs: Any) -> None:
        """See `showtraceback`."""

    def run_student_cell(self, number: int, source: str) -> BaseException | None:
        """Runs a student's cell as Jupyter would; returns what it raised."""
        assert isinstance(self.compile, CellCompiler)
        self.compile.filename = CELL_FILENAME_FORMAT.format(number)
        result = self.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
        error: BaseException | None = result.error_before_exec or result.error_in_exec
        return error


def make_shell() -> Shell:
    """A fresh shell: nothing is read from, or written to, a profile or a history file."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.ipython_dir = os.environ.get("IPYTHONDIR", "")
    config.InteractiveShell.colors = "nocolor"
    return Shell.instance(config=config)


def describe_cell_error(
    error: BaseException, leading_blank_lines: dict[int, int], *, include_detail: bool = True
) -> dict[str, Any]:
    """What was raised, and the last place in the student's cells that it came through.

    Returns error (type name), detail (its message; empty unless `told`), cell (number or None), line (from 1, or None).
    `shifts` has, for each cell, the blank lines at its top, which IPython leaves out before it counts.
    """
    cell, line = _locate_error(error)
    return {
        "error_type": clip(type(error).__name__, 80),
        "detail": clip(_error_message(error)) if include_detail else "",
        "cell": cell,
        "line": line + leading_blank_lines.get(cell, 0) if cell is not None and line is not None else None,
    }


def _locate_error(error: BaseException) -> tuple[int | None, int | None]:
    if isinstance(error, SyntaxError) and _parse_cell_number(error.filename) is not None:
        return _parse_cell_number(error.filename), error.lineno
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        number = _parse_cell_number(frame.f_code.co_filename)
        if number is not None:
            return number, line
    return None, None


def _parse_cell_number(filename: object) -> int | None:
    if isinstance(filename, str) and filename.startswith("<cell ") and filename[6:-1].isdecimal():
        return int(filename[6:-1])
    return None


def _error_message(error: BaseException) -> str:
    try:
        return str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:  # noqa: BLE001 - a student's __str__ may raise anything
        return ""
