"""Progress output: plain lines without a terminal, a spinner and the same result lines on one."""

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


def test_step_prints_title_and_duration() -> None:
    stream = io.StringIO()
    with _progress(stream).step("Making tea"):
        assert "Making tea" in stream.getvalue()
    assert stream.getvalue().splitlines()[-1] == " ✓    2.0 s  Making tea"


def test_failing_step_is_marked_and_its_exception_propagates() -> None:
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), _progress(stream).step("Making tea"):
        raise KeyboardInterrupt
    assert stream.getvalue().splitlines()[-1] == " ✗    2.0 s  Making tea"


def test_terminal_shows_a_spinner_and_the_same_result_line() -> None:
    stream = Terminal()
    with _progress(stream).step("Making tea"):
        pass
    assert stream.getvalue().endswith(" ✓    2.0 s  Making tea\n")
    assert "\x1b[" in stream.getvalue() or "…" in stream.getvalue()
