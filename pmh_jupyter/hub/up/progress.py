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
        started = self._clock()
        try:
            with self._moving(title):
                yield
        except BaseException:
            self._ended("✗", title, started)
            raise
        self._ended("✓", title, started)

    def say(self, line: str = "") -> None:
        """A line of its own."""
        print(line, file=self._stream, flush=True)

    def _ended(self, mark: str, title: str, started: float) -> None:
        self.say(f" {mark} {self._clock() - started:6.1f} s  {title}")

    def _moving(self, title: str) -> AbstractContextManager[object]:
        if not self._stream.isatty():
            self.say(f" …           {title}")
            return nullcontext()
        try:
            from rich.console import Console
            from rich.progress import Progress as Bars
            from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
        except ImportError:
            self.say(f" …           {title}")
            return nullcontext()
        columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        bars = Bars(*columns, console=Console(file=self._stream), transient=True)
        bars.add_task(title, total=None)
        return bars
