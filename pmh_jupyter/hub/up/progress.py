"""Progress output: each step's title and duration, with a spinner on a terminal and plain lines elsewhere.

The spinner needs rich. `make up` uses this module before any package is installed, so it also works without.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TextIO

Clock = Callable[[], float]


class Progress:
    """Prints steps to a stream, one line each, with their wall time in seconds."""

    def __init__(self, stream: TextIO | None = None, clock: Clock = time.monotonic) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._clock = clock

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show the title while the block runs, then its result. An exception is shown as a failure and propagates."""
        started_at = self._clock()
        try:
            with self._show_spinner(title):
                yield
        except BaseException:
            self._print_result("✗", title, started_at)
            raise
        self._print_result("✓", title, started_at)

    def print_line(self, line: str = "") -> None:
        """Print a line outside of any step."""
        print(line, file=self._stream, flush=True)

    def _print_result(self, symbol: str, title: str, started_at: float) -> None:
        self.print_line(f" {symbol} {self._clock() - started_at:6.1f} s  {title}")

    def _show_spinner(self, title: str) -> AbstractContextManager[object]:
        if not self._stream.isatty():
            self.print_line(f" …           {title}")
            return nullcontext()
        try:
            from rich.console import Console
            from rich.progress import Progress as RichProgress
            from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
        except ImportError:
            self.print_line(f" …           {title}")
            return nullcontext()
        columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        rich_progress = RichProgress(*columns, console=Console(file=self._stream), transient=True)
        rich_progress.add_task(title, total=None)
        return rich_progress
