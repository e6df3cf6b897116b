"""One rule for the lines of a source: Python's own. With any other rule, a hidden test is taken for a visible one."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.execution.cell_executor import CellExecutor
from pmh_jupyter.grading.runtime.execution.shell import Shell, make_shell
from pmh_jupyter.grading.runtime.execution.source_segments import get_source_segment
from pmh_jupyter.grading.runtime.in_process.test_cell import execute_test_cell
from pmh_jupyter.grading.runtime.test_cells.statements import (
    find_feedback_comments,
    read_statements,
    remove_hidden_tests,
)
from pmh_jupyter.python_source.lines import split_source_lines

# What `str.splitlines` takes for a line end, and Python's tokenizer does not.
SEPARATORS = {
    "vertical tab": "\v",
    "form feed": "\f",
    "file separator": "\x1c",
    "group separator": "\x1d",
    "record separator": "\x1e",
    "next line": "\x85",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
}
LINE_ENDS = {"LF": "\n", "CR LF": "\r\n", "CR": "\r"}
each_separator = pytest.mark.parametrize("separator", SEPARATORS.values(), ids=SEPARATORS)
each_line_end = pytest.mark.parametrize("line_end", LINE_ENDS.values(), ids=LINE_ENDS)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\n", ["a\n"]),
        ("\n", ["\n"]),
        ("a\n\nb", ["a\n", "\n", "b"]),
        ("a\r\nb\rc\nd", ["a\r\n", "b\r", "c\n", "d"]),
        ("a\n\rb", ["a\n", "\r", "b"]),
        ("a\vb\fc\x1cd\x85e\u2028f", ["a\vb\fc\x1cd\x85e\u2028f"]),
    ],
)
def test_source_is_split_only_at_cr_and_lf(source: str, lines: list[str]) -> None:
    assert split_source_lines(source, keepends=True) == lines
    assert split_source_lines(source) == [line.rstrip("\r\n") for line in lines]


@each_line_end
@each_separator
def test_lines_are_counted_as_the_parser_counts_them(separator: str, line_end: str) -> None:
    source = line_end.join([f"a = '{separator}'", f"# {separator}{separator}", "", "b = 2", ""])
    last_statement = ast.parse(source).body[-1]
    assert split_source_lines(source)[last_statement.lineno - 1] == "b = 2"
    assert get_source_segment(last_statement, source) == "b = 2"


def _test_cell(separator: str, line_end: str = "\n") -> str:
    lines = [
        f"text = 'a{separator}b{separator}c'",
        f"# {separator}{separator}",
        "# feedback: Mind the gap",
        "assert visible(1) == 1",
        "### BEGIN HIDDEN TESTS",
        "assert secret(7) == 4711",
        "### END HIDDEN TESTS",
        "assert visible(2) == 2",
    ]
    return line_end.join(lines)


@each_line_end
@each_separator
def test_hidden_assertion_is_hidden_below_any_line(separator: str, line_end: str) -> None:
    source = _test_cell(separator, line_end)
    statements = read_statements(ast.parse(source), source)
    assert [statement.is_hidden for statement in statements] == [False, False, True, False]
    assert [statement.expression for statement in statements[1:]] == ["visible(1)", "", "visible(2)"]
    visible = remove_hidden_tests(source)
    assert "secret" not in visible
    assert "4711" not in visible
    assert visible.count("visible") == 2
    assert find_feedback_comments(source) == {4: "Mind the gap"}


@each_separator
def test_failed_hidden_assertion_tells_neither_its_source_nor_its_value(separator: str) -> None:
    names: dict[str, Any] = {"secret": lambda x: 0, "visible": lambda x: x}
    results = execute_test_cell(SimpleNamespace(user_ns=names), _test_cell(separator), {}).fields["tests"]
    assert [result["outcome"] for result in results] == ["passed", "failed", "passed"]
    assert results[1]["is_hidden"]
    assert "4711" not in str(results)
    assert "secret" not in str(results)


@each_separator
def test_partial_credit_ends_at_the_last_line_of_python(separator: str) -> None:
    """The `;` is part of the comment above the last line: the value is credit."""
    source = f"assert x\n# a{separator};\n0.5"
    assert execute_test_cell(SimpleNamespace(user_ns={"x": 1}), source, {}).fields["credit"] == 0.5
    silenced = execute_test_cell(SimpleNamespace(user_ns={"x": 1}), f"assert x\n0.5; # a{separator}0.5", {}).fields
    assert "credit" not in silenced
    assert "invalid_credit" not in silenced


@pytest.fixture(scope="module")
def shell() -> Any:
    yield make_shell()
    Shell.clear_instance()


@each_separator
@pytest.mark.filterwarnings("ignore:`make_tokens_by_line` received")  # IPython splits lines by `str.splitlines`
@pytest.mark.parametrize("is_plain_python", [False, True], ids=["IPython", "plain Python"])
@pytest.mark.parametrize("top", ["", "\n\n", "# {}\n\n", "\n# {}\n"])
def test_error_is_reported_at_the_line_that_python_counts(
    shell: Shell, separator: str, is_plain_python: bool, top: str
) -> None:
    source = top.format(separator) + f"text = 'a{separator}b'\n1 / 0"
    error = CellExecutor(shell, is_plain_python=is_plain_python).run(3, source)
    assert error is not None
    assert (error["error_type"], error["cell"], error["line"]) == ("ZeroDivisionError", 3, source.count("\n") + 1)


@pytest.mark.parametrize("is_plain_python", [False, True], ids=["IPython", "plain Python"])
def test_form_feed_before_a_statement_ends_no_line(shell: Shell, is_plain_python: bool) -> None:
    error = CellExecutor(shell, is_plain_python=is_plain_python).run(3, "\n\f\n\f\n\f1 / 0")
    assert error is not None and (error["error_type"], error["line"]) == ("ZeroDivisionError", 4)
