"""The marker lines that enclose the hidden tests of a test cell."""

from __future__ import annotations

HIDDEN_TESTS = "HIDDEN TESTS"
BEGIN_HIDDEN_TESTS, END_HIDDEN_TESTS = f"BEGIN {HIDDEN_TESTS}", f"END {HIDDEN_TESTS}"
