"""The file names under which the code of a release's cells is compiled.

Tracebacks and audit hooks tell the release's own code from the student's by them. The student's code cannot take one of these names:
see `policies.student_policy`.
"""

from __future__ import annotations

TEST_CELL_FILENAME = "<test>"
TEST_HELPER_FILENAME = "<test helper>"
"""The judge's own copy of a function that a locked cell defines."""
RELEASE_FILENAMES = frozenset({TEST_CELL_FILENAME, TEST_HELPER_FILENAME})
