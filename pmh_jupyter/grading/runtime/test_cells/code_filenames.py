"""File names under which code of a release is compiled. Tracebacks and the audit hooks recognize the code by them."""

from __future__ import annotations

# The file name of a test cell's code.
TEST_CELL_FILENAME = "<test>"
# The file name of the judge's copy of a function that a locked cell defines.
TEST_HELPER_FILENAME = "<test helper>"
# The file names of code that comes from cells of the release.
RELEASE_FILENAMES = frozenset({TEST_CELL_FILENAME, TEST_HELPER_FILENAME})
_MODULE_PREFIX = "<test helper of "


def make_module_filename(module: str) -> str:
    """Return the file name of the judge's copy of a module that the lesson has beside its notebook."""
    return f"{_MODULE_PREFIX}{module}>"


def is_helper_filename(filename: str) -> bool:
    """Return whether code of this file name is a test helper, from a locked cell or a module of the lesson."""
    return filename == TEST_HELPER_FILENAME or filename.startswith(_MODULE_PREFIX)


def is_release_filename(filename: str) -> bool:
    """Return whether code of this file name comes from the release. Only the judge may rely on it: a notebook can choose file names."""
    return filename == TEST_CELL_FILENAME or is_helper_filename(filename)


def describe_origin(filename: str) -> str:
    """Return a prefix that distinguishes places in code of this file name from those of the test cell; empty for the test cell itself."""
    if filename == TEST_CELL_FILENAME:
        return ""
    return f"{filename.removeprefix(_MODULE_PREFIX).rstrip('>')}/" if filename != TEST_HELPER_FILENAME else "helper/"
