"""What is being done, and how long it took: with a moving line on a terminal, with plain lines elsewhere.

`make up` uses it before anything is installed: so rich is used where it is there, and the standard library does otherwise.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TextIO

Clock = Callable[[], float]


class Progress:
    """Tells of steps on a stream, one line each, with seconds of wall time."""

    def __init__(self, stream: TextIO | None = None, clock: Clock = time.monotonic) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._clock = clock

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step: its title while it runs, and how it ended. An exception passes through, told as a failure."""
        started_at = self._clock()
        try:
            with self._spinner(title):
                yield
        except BaseException:
            self._print_result("✗", title, started_at)
            raise
        self._print_result("✓", title, started_at)

    def print_line(self, line: str = "") -> None:
        """A line of its own."""
        print(line, file=self._stream, flush=True)

    def _print_result(self, symbol: str, title: str, started_at: float) -> None:
        self.print_line(f" {symbol} {self._clock() - started_at:6.1f} s  {title}")

    def _spinner(self, title: str) -> AbstractContextManager[object]:
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
