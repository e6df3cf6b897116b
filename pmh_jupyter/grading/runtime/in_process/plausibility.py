"""Compares the test results of a student process with the source of the test cell.

A student process that runs tests can report anything. Its report must at least be consistent with the source: an assertion that passed is
one of the cell, in its order, and a cell that passed has passed all of them.
"""

from __future__ import annotations

import ast
from typing import Any

from pmh_jupyter.grading.runtime.test_cells.statement_runner import MAX_TEST_RESULTS
from pmh_jupyter.grading.runtime.test_cells.statements import read_statements
from pmh_jupyter.python_source.parsing import PARSE_ERRORS
from pmh_jupyter.python_source.plain_python import to_plain_python


def find_contradiction(tests: list[Any], source: str) -> str:
    """Return how the results of a test cell contradict its source; an empty string if they do not."""
    if not all(isinstance(test, dict) for test in tests):
        return "a test result is malformed"
    try:
        statements = read_statements(ast.parse(to_plain_python(source) or ""), source)
    except PARSE_ERRORS:
        return ""  # the cell fails for every submission
    asserting = [(statement.name, statement.is_hidden) for statement in statements if statement.has_assertion]
    if any(test.get("outcome") != "passed" for test in tests) or len(asserting) > MAX_TEST_RESULTS:
        return ""  # it does not pass
    names = [(test.get("name"), test.get("is_hidden")) for test in tests]
    if names != (asserting or [("", False)]):
        return f"{len(names)} passed tests were reported that are not the {len(asserting)} of the cell"
    return ""
