"""File names under which code of a release is compiled. Tracebacks and the audit hooks recognize the code by them."""

from __future__ import annotations

TEST_CELL_FILENAME = "<test>"
"""The file name of a test cell's code."""
TEST_HELPER_FILENAME = "<test helper>"
"""The file name of the judge's own copy of a function that a locked cell defines."""
RELEASE_FILENAMES = frozenset({TEST_CELL_FILENAME, TEST_HELPER_FILENAME})
