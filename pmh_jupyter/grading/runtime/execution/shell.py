"""The IPython shell that runs a notebook, and the description of an exception by its position in the notebook."""

from __future__ import annotations

import builtins
import os
import traceback
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from pmh_jupyter.grading.runtime.execution.text_clipping import clip
from pmh_jupyter.grading.runtime.proxies.event_loop import NOTEBOOK_EVENT_LOOP, STARTS_EVENT_LOOP

CELL_FILENAME_FORMAT = "<cell {}>"
MAX_FILENAME_LENGTH = 20
_get_traceback = BaseException.__dict__[
    "__traceback__"
].__get__  # an exception of the notebook may define its own `__traceback__`


class CellCompiler(CachingCompiler):
    """Compiles each cell under a file name with the cell's number, so that a traceback names the cell."""

    filename = CELL_FILENAME_FORMAT.format(0)

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        return self.filename


class Shell(InteractiveShell):
    """IPython without a terminal, a history, the student's profile, or printed tracebacks."""

    compiler_class = Type(CellCompiler)

    def enable_gui(self, gui: str | None = None) -> None:
        """Do nothing: there is no screen, and `%matplotlib inline` must not fail because of that."""

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: `describe_cell_error` reports the error, and formatting it takes longer than running most cells."""

    def showsyntaxerror(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing, for the reason given in `showtraceback`."""

    def should_run_async(self, raw_cell: str, **options: Any) -> bool:
        """Return whether a cell runs on the event loop. As in a kernel, it does so even if it only creates tasks."""
        return STARTS_EVENT_LOOP.search(raw_cell) is None or bool(super().should_run_async(raw_cell, **options))

    def run_student_cell(self, number: int, source: str) -> BaseException | None:
        """Run a student's cell as Jupyter would. Returns the exception that it raised."""
        assert isinstance(self.compile, CellCompiler)
        self.compile.filename = CELL_FILENAME_FORMAT.format(number)
        result = self.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
        error: BaseException | None = result.error_before_exec or result.error_in_exec
        return error


def make_shell() -> Shell:
    """Create a shell that neither reads nor writes a profile or a history file."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.ipython_dir = os.environ.get("IPYTHONDIR", "")
    config.InteractiveShell.colors = "nocolor"
    shell = Shell.instance(config=config)
    shell.loop_runner = NOTEBOOK_EVENT_LOOP.run
    return shell


def describe_cell_error(
    error: BaseException, leading_blank_lines: dict[int, int], *, include_detail: bool = True
) -> dict[str, Any]:
    """Describe an exception, and the innermost line of the student's cells that it passed through.

    leading_blank_lines: by cell, the blank lines at its top, which IPython removes before it counts lines.

    Returns error_type (class name), detail (the message; "" without `include_detail`), cell (number or None), and line (from 1, or None).
    """
    try:
        cell, line = _locate_error(error)
    except BaseException:  # noqa: BLE001 - the student's code may have changed the modules that this uses
        cell, line = None, None
    return {
        "error_type": get_error_type_name(error),
        "detail": clip(_format_error_message(error)) if include_detail else "",
        "cell": cell,
        "line": line + leading_blank_lines.get(cell, 0) if cell is not None and line is not None else None,
    }


def get_error_type_name(error: BaseException) -> str:
    """Return the name of an exception's class. A class of the notebook with the name of a built-in exception is marked as such."""
    name: str = type.__dict__["__name__"].__get__(type(error))
    is_builtin_name = isinstance(getattr(builtins, name, None), type)
    return clip(f"{name} (own class)" if is_builtin_name and not _is_builtin_class(type(error), name) else name, 80)


def _is_builtin_class(cls: type, name: str) -> bool:
    # Outside of `builtins` itself, our own stand-ins for exceptions such as KeyboardInterrupt have its name (see `marshalling.exceptions`).
    return getattr(builtins, name) is cls or (
        type.__dict__["__module__"].__get__(cls) == "builtins" and type(cls) is type and issubclass(cls, Exception)
    )


def _locate_error(error: BaseException) -> tuple[int | None, int | None]:
    if isinstance(error, SyntaxError) and _parse_cell_number(error.filename) is not None:
        return _parse_cell_number(error.filename), error.lineno
    for frame, line in reversed(list(traceback.walk_tb(_get_traceback(error)))):
        number = _parse_cell_number(frame.f_code.co_filename)
        if number is not None:
            return number, line
    return None, None


def _parse_cell_number(filename: object) -> int | None:
    if (
        isinstance(filename, str)
        and filename.startswith("<cell ")
        and filename[6:-1].isdecimal()
        and len(filename) < MAX_FILENAME_LENGTH
    ):
        return int(filename[6:-1])
    return None


def _format_error_message(error: BaseException) -> str:
    try:
        return str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:  # noqa: BLE001 - a student's `__str__` may raise anything
        return ""
