"""Progress output: plain lines without a terminal, a spinner and the same result lines on one."""

from __future__ import annotations

import io
import sys
from itertools import count

import pytest

from pmh_jupyter.hub.up.progress import Progress

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


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


def test_terminal_shows_a_spinner_and_the_same_result_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with _progress(stream).step("Making tea"):
        assert "Making tea" in stream.getvalue() and "…" not in stream.getvalue()
        assert HIDE_CURSOR in stream.getvalue()
    assert SHOW_CURSOR in stream.getvalue()
    assert stream.getvalue().endswith(" ✓    2.0 s  Making tea\n")


def test_terminal_without_rich_gets_the_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    stream = Terminal()
    with _progress(stream).step("Making tea"):
        assert stream.getvalue() == " …           Making tea\n"
    assert stream.getvalue().splitlines()[-1] == " ✓    2.0 s  Making tea"
