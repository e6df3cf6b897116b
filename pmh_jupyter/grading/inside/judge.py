"""Runs the checks of a test cell in the notebook's namespace and says of each what became of it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from .checks import HOLDS, Check, Operands, read_checks
from .shell import Shell, fault_of
from .text import clip

Test = dict[str, Any]
MOST_TESTS = 500


def judge(shell: Shell, source: str, shifts: dict[int, int]) -> list[Test]:
    """Runs a test cell. After a statement that raises and is no assertion, and after an interrupt, the rest is not checked.

    Each test has name, expression, hidden, outcome (passed, failed, crashed, timed-out, not-checked, our-fault), reason (differs,
    fails, raised, said, timed-out, memory, broken or ""), text (the author's message), expected, got, and the `fault_of` fields.
    """
    operands = Operands()
    try:
        # A transformer of its own: what the student's cells registered with the shell does not touch the tests.
        plain = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
        checks = read_checks(plain, operands)
    except SyntaxError:
        return [_test(None, "our-fault", "broken")]
    run = _runner(shell, operands)
    tests: list[Test] = []
    stopped = False
    for check in checks:
        if stopped:
            if check.asserts:
                tests.append(_test(check, "not-checked", ""))
            continue
        test = _run_check(check, run, operands, shifts)
        stopped = test["outcome"] == "timed-out" or (test["outcome"] != "passed" and not check.asserts)
        if check.asserts or test["outcome"] != "passed":
            tests.append(test)
    # As in nbgrader, a test cell without an assertion passes by running through.
    return _bounded(tests) or [_test(None, "passed", "")]


def _bounded(tests: list[Test]) -> list[Test]:
    """All that did not pass, and as many of the others as a page can show."""
    if len(tests) <= MOST_TESTS:
        return tests
    return ([test for test in tests if test["outcome"] != "passed"] or tests)[:MOST_TESTS]


def _runner(shell: Shell, operands: Operands) -> Callable[[ast.stmt], None]:
    namespace = shell.user_ns

    def run(node: ast.stmt) -> None:
        module = ast.Module([node], type_ignores=[])
        code = compile(module, "<test>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        namespace[HOLDS] = operands.holds
        try:
            if code.co_flags & inspect.CO_COROUTINE:
                shell.loop_runner(eval(code, namespace))
            else:
                exec(code, namespace)
        finally:
            namespace.pop(HOLDS, None)

    return run


def _run_check(check: Check, run: Callable[[ast.stmt], None], operands: Operands, shifts: dict[int, int]) -> Test:
    operands.forget()
    try:
        run(check.node)
    except KeyboardInterrupt as error:
        return _test(check, "timed-out", "timed-out", **fault_of(error, shifts, told=False))
    except MemoryError as error:
        return _test(check, "crashed", "memory", **fault_of(error, shifts, told=False))
    except AssertionError as error:
        return _unmet(check, error, operands, shifts)
    except BaseException as error:  # noqa: BLE001 - a test fails whatever the student's code raises, SystemExit too
        return _test(check, "failed", "raised", **fault_of(error, shifts, told=not check.hidden))
    return _test(check, "passed", "")


def _unmet(check: Check, error: AssertionError, operands: Operands, shifts: dict[int, int]) -> Test:
    """An assertion that does not hold: the author's words if there are any, else what differs."""
    fault = fault_of(error, shifts, told=False)
    if fault["cell"] is not None:  # raised by an assertion in the student's own code
        return _test(check, "failed", "raised", **fault)
    text = _words(error)
    if operands.got is None:
        return _test(check, "failed", "said" if text else "fails", text=text)
    values = {"expression": operands.expression, "expected": operands.expected, "got": operands.got}
    return _test(check, "failed", "said" if text else "differs", text=text, **values)


def _words(error: AssertionError) -> str:
    try:
        return clip(str(error.args[0]), 1_000) if error.args else ""
    except Exception:  # noqa: BLE001 - the message may be an object of the student's
        return ""


def _test(check: Check | None, outcome: str, reason: str, **fields: Any) -> Test:
    test: Test = {
        "name": check.name if check else "",
        "expression": check.expression if check else "",
        "hidden": check.hidden if check else False,
        "outcome": outcome,
        "reason": reason,
        "text": "",
        "expected": None,
        "got": None,
        "error": "",
        "detail": "",
        "cell": None,
        "line": None,
    }
    return test | fields
