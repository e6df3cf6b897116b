"""Progress: plain lines where there is no terminal, the same end lines where there is one."""

from __future__ import annotations

import io
from itertools import count

import pytest

from pmh_jupyter.hub.up.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _progress(stream: io.StringIO) -> Progress:
    ticks = count(0, 2)
    return Progress(stream, clock=lambda: float(next(ticks)))


def test_a_step_tells_its_title_and_how_long_it_took() -> None:
    stream = io.StringIO()
    with _progress(stream).step("Making tea"):
        assert "Making tea" in stream.getvalue()
    assert stream.getvalue().splitlines()[-1] == " ✓    2.0 s  Making tea"


def test_a_step_that_fails_is_told_as_such_and_the_failure_passes_on() -> None:
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), _progress(stream).step("Making tea"):
        raise KeyboardInterrupt
    assert stream.getvalue().splitlines()[-1] == " ✗    2.0 s  Making tea"


def test_on_a_terminal_it_moves_while_it_runs_and_ends_with_the_same_line() -> None:
    stream = Terminal()
    with _progress(stream).step("Making tea"):
        pass
    assert stream.getvalue().endswith(" ✓    2.0 s  Making tea\n")
    assert "\x1b[" in stream.getvalue() or "…" in stream.getvalue()
