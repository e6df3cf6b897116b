"""Runs cells in one plain Python process without any defense, each job in a fork.

`python -m tests.support.grading.plain_run` reads jobs as lines of JSON from standard input and writes reports as lines to standard output.
A job is `{"files": {name: text}, "cells": [{"source": …, "is_test": …}]}`, a report `{"failed": [lines], "shown": text}`.
"""

from __future__ import annotations

import ast
import importlib
import io
import json
import linecache
import os
import shutil
import signal
import sys
import tempfile
import types
from contextlib import suppress
from typing import Any

from pmh_jupyter.python_source.hidden_tests import BEGIN_HIDDEN_TESTS, END_HIDDEN_TESTS

JOB_SECONDS = 20
PRELOADED_MODULES = ("numpy", "pandas", "numpy.testing", "pandas.testing", "unittest.mock", "random", "dataclasses")
CHECK_NAME = "_plain_check"
_OPERATORS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}
# How a grader words these errors if it believes their names.
_WORDINGS = {"MemoryError": "needed more than", "EOFError": "asks for input"}


class PlainRun:
    """One notebook: student cells by `exec`, test cells statement by statement, with what a person would read of them.

    failed: the statements that raised. shown: output, the values and errors of visible tests, type and line of errors in hidden
    tests, points.
    """

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.shown: list[str] = []
        self.outcomes = ""
        self._values: list[tuple[Any, Any]] = []
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.namespace = vars(module)
        self.namespace[CHECK_NAME] = self._check

    def run_student_cell(self, number: int, source: str) -> None:
        """Run a cell. An exception ends the cell, not the notebook."""
        filename = f"<cell-{number}>"
        _add_source(filename, source)
        try:
            exec(compile(source, filename, "exec", dont_inherit=True), self.namespace)
        except BaseException as error:  # noqa: BLE001 - any exception is the cell's
            self.failed.append(f"cell {number}")
            self._show(error, is_hidden=False)

    def run_test_cell(self, source: str) -> None:
        """Run every statement, also after one has failed."""
        _add_source("<tests>", source)
        hidden_lines = _find_hidden_lines(source)
        statements = ast.parse(source).body
        credit = statements.pop() if isinstance(statements[-1], ast.Expr) and _is_value(statements[-1]) else None
        for node in statements:
            is_hidden = node.lineno in hidden_lines
            text = ast.get_source_segment(source, node) or ""
            is_assertion = isinstance(node, ast.Assert)
            module = ast.fix_missing_locations(ast.Module([_Rewriter().visit(node)], type_ignores=[]))
            self._values.clear()
            has_passed = True
            try:
                exec(compile(module, "<tests>", "exec", dont_inherit=True), self.namespace)
            except BaseException as error:  # noqa: BLE001 - any exception fails the test
                has_passed = False
                self.failed.append(f"{text}: {type(error).__name__}")
                self._show(error, is_hidden=is_hidden)
            if is_assertion and not is_hidden:
                self.outcomes += "P" if has_passed else "F"
        if credit is not None and (points := eval(ast.unparse(credit), self.namespace)) != 1:
            self.failed.append("not all points")
            self.shown.append(f"{points:g} points" if isinstance(points, float) else type(points).__name__)

    def _check(self, operator: str, left: Any, right: Any) -> Any:
        self._values.append((left, right))
        return eval(f"left {operator} right", {"left": left, "right": right})

    def _show(self, error: BaseException, *, is_hidden: bool) -> None:
        line = _find_student_line(error)
        self.shown.append(f"raised {type(error).__name__}" + (f" in line {line}" if line else ""))
        self.shown.append(_WORDINGS.get(type(error).__name__, ""))
        if not is_hidden:
            values = [
                f"gave {_format_value(left)}, expected {_format_value(right)}" for left, right in self._values[-1:]
            ]
            self.shown += [_format_value(error), *values]


class _Rewriter(ast.NodeTransformer):
    """Passes both sides of an asserted comparison to `PlainRun._check`."""

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        test = node.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _OPERATORS:
            operator = ast.Constant(_OPERATORS[type(test.ops[0])])
            node.test = ast.Call(ast.Name(CHECK_NAME, ast.Load()), [operator, test.left, test.comparators[0]], [])
        return node


def _add_source(filename: str, source: str) -> None:
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)


def _is_value(node: ast.Expr) -> bool:
    """Return whether the last statement of a test cell is its points: a value and no call."""
    return not isinstance(node.value, ast.Call)


def _find_hidden_lines(source: str) -> set[int]:
    hidden_lines, in_hidden_tests = set(), False
    for number, line in enumerate(source.split("\n"), start=1):
        in_hidden_tests = in_hidden_tests or BEGIN_HIDDEN_TESTS in line
        if in_hidden_tests:
            hidden_lines.add(number)
        in_hidden_tests = in_hidden_tests and END_HIDDEN_TESTS not in line
    return hidden_lines


def _find_student_line(error: BaseException) -> int | None:
    line, entry = None, error.__traceback__
    while entry is not None:
        if entry.tb_frame.f_code.co_filename.startswith("<cell-"):
            line = entry.tb_lineno
        entry = entry.tb_next
    return line


def _format_value(value: Any) -> str:
    try:
        return f"{value}"[:10_000] if isinstance(value, BaseException) else repr(value)[:10_000]
    except BaseException:  # noqa: BLE001 - a student's method may raise anything
        return "?"


def _run(job: dict[str, Any]) -> str:
    for name, text in job["files"].items():
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    output = sys.stdout = sys.stderr = io.StringIO()
    sys.path.insert(0, os.getcwd())
    run = PlainRun()
    dumps, listdir, str_type = json.dumps, os.listdir, str
    for number, cell in enumerate(job["cells"]):
        run.run_test_cell(cell["source"]) if cell["is_test"] else run.run_student_cell(number, cell["source"])
    shown = [*run.shown, f"outcomes: {run.outcomes}", output.getvalue(), *listdir(".")]
    return dumps({"failed": run.failed, "shown": "\n".join(map(str_type, shown))})


def _run_forked(job: dict[str, Any]) -> str:
    """Run a job in a separate process group, and end the processes that it leaves behind."""
    folder = tempfile.mkdtemp(prefix="plain-run-")
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            signal.alarm(JOB_SECONDS)
            os.mkdir(os.path.join(folder, "work"))
            os.chdir(os.path.join(folder, "work"))
            open_file = open
            report = _run(job)
            with open_file(os.path.join(folder, "report"), "wb") as file:
                file.write(report.encode("utf-8", "replace"))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    try:
        with open(os.path.join(folder, "report"), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        code = os.waitstatus_to_exitcode(status)
        shown = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return json.dumps({"failed": ["the process ended"], "shown": shown})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    for name in PRELOADED_MODULES:
        importlib.import_module(name)
    for line in sys.stdin:
        print(_run_forked(json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
