"""Runs the checks of a test cell in the notebook's namespace and says of each what became of it.

The student's code shares this process: see `harden` for what is done about that, and for what cannot be.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import inspect
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from .bindings import UNREADABLE, read_names
from .checks import Told, read_checks
from .compare import Compare
from .credit import told
from .given import Helpers
from .harden import Pristine, Seen
from .origin import Origins, library_folders, nested
from .record import Recorder
from .rewrite import PINNED, compiled
from .shell import fault_of
from .text import clip
from .watch import GIVEN, PLACE

Test = dict[str, Any]
MOST_TESTS = 500


@dataclass
class Terms:
    """What is known of a test cell from the release, and what was seen while it was judged.

    `pristine`: the process as it was before the student's code (None: nothing is put back). Of the reference solution:
    `operators` that it used on objects of its own classes in this cell, builtins that it `shadowed`, names of the test cell that
    later cells need (`exports`), names that stand for a library's (module, attribute), functions of locked cells that it uses
    (`given`), of which `helpers` has the judge's own. None means that nobody knows, so nothing is refused for it.
    `flags` ({code, detail}) is filled; `used` gets the operators that were used on objects of the notebook's own classes.
    """

    pristine: Pristine | None = None
    operators: Collection[str] | None = None
    shadowed: Collection[str] | None = None
    exports: Collection[str] | None = None
    library: Mapping[str, Sequence[str]] = field(default_factory=dict)
    given: Collection[str] = ()
    helpers: Helpers = field(default_factory=Helpers)
    flags: list[dict[str, str]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @classmethod
    def of(
        cls,
        pristine: Pristine | None,
        judging: Mapping[str, Any] | None,
        grade_id: str | None,
        helpers: Helpers | None = None,
    ) -> Terms:
        """The terms of one test cell, from a bundle's `judging`. Of a cell that the release did not run nothing is known."""
        helpers = Helpers() if helpers is None else helpers
        if judging is None or grade_id not in judging["operators"]:
            return cls(pristine, helpers=helpers)
        return cls(
            pristine,
            operators=judging["operators"][grade_id],
            shadowed=judging["shadowed"],
            exports=judging["exports"],
            library=judging["library"],
            given=judging["given"],
            helpers=helpers,
        )


def judge(shell: Any, source: str, shifts: dict[int, int], terms: Terms | None = None) -> list[Test]:
    """Runs a test cell. After a statement that raises and is no assertion, and after an interrupt, the rest is not checked.

    Each test has name, expression, hidden, outcome (passed, failed, crashed, timed-out, not-checked, our-fault), reason (differs,
    fails, raised, said, timed-out, memory, broken or ""), text (the author's message), expected, got, and the `fault_of` fields.
    `shell` is whatever has a `user_ns`.
    """
    terms = terms or Terms()
    seen = Seen(terms.flags)
    plain = plain_source(source)
    if terms.pristine is None:
        return [test_of(None, "our-fault", "broken")] if plain is None else _judge(shell, plain, shifts, terms, seen)
    seen.take(terms.pristine.put_back(shell, source))
    with terms.pristine.testing(seen):
        tests = [test_of(None, "our-fault", "broken")] if plain is None else _judge(shell, plain, shifts, terms, seen)
    seen.take(terms.pristine.put_back(shell, source))
    return tests


def _judge(shell: Any, source: str, shifts: dict[int, int], terms: Terms, seen: Seen) -> list[Test]:
    namespace: dict[str, Any] = shell.user_ns
    origins = terms.pristine.origins if terms.pristine else Origins(trusted=library_folders())
    compare = Compare(origins, seen.note, terms.operators)
    bound = _bound(source)
    pinned = _pinned(terms, bound, namespace, seen)
    for name in read_names(source) & set(terms.given) & pinned.keys():
        if terms.helpers.is_changed(name, namespace):
            seen.note("helper-changed", name)
    recorder = Recorder(compare, pinned, terms.helpers.relay.rules)
    terms.helpers.begin(recorder, _found_by(pinned, namespace))
    checks = read_checks(ast.parse(source), source, recorder)
    before = {name: namespace[name] for name in bound & namespace.keys()}
    try:
        origins.code.clear()
        return CellRun(shell, recorder, shifts, terms, seen).all(checks)
    finally:
        terms.used.update(compare.used)
        if terms.exports is not None:
            for name in bound.difference(terms.exports):
                namespace.pop(name, None)
                if name in before:
                    namespace[name] = before[name]


def _pinned(terms: Terms, bound: set[str], namespace: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """Builtins, and names of the library, that stay what they are for the reference solution."""
    if terms.shadowed is None:
        return {}
    pinned: dict[str, Any] = {}
    for name in PINNED.difference(terms.shadowed, bound, terms.library):
        pinned[name] = getattr(builtins, name)
        if name in namespace:
            seen.note("builtin-shadowed", name)
    for name, (module, attribute) in terms.library.items():
        if name in namespace and name not in bound and module in sys.modules:
            owner = sys.modules[module]
            pinned[name] = getattr(owner, attribute, namespace[name]) if attribute else owner
            if namespace[name] is not pinned[name]:
                seen.note("library-shadowed", name)
    return pinned | {name: terms.helpers[name] for name in terms.helpers.keys() & set(terms.given) - bound}


def _found_by(pinned: Mapping[str, Any], namespace: Mapping[str, Any]) -> Callable[[str], Any]:
    """How a helper finds what its own cell does not say: as the test cell does."""
    return lambda name: pinned[name] if name in pinned else namespace[name]


class CellRun:
    """One run of a test cell."""

    def __init__(self, shell: Any, recorder: Recorder, shifts: dict[int, int], terms: Terms, seen: Seen) -> None:
        self.shell, self.recorder, self.shifts, self.terms, self.seen = shell, recorder, shifts, terms, seen
        self.stopped = False

    def all(self, checks: list[Any]) -> list[Test]:
        """`checks` have the fields of `Told`. As in nbgrader, a test cell without an assertion passes by running through."""
        tests: list[Test] = []
        while checks:
            check = checks.pop(0)
            if self.stopped:
                if check.asserts:
                    tests.append(test_of(check, "not-checked", ""))
                continue
            test = self._check(check)
            self.stopped = test["outcome"] == "timed-out" or (test["outcome"] != "passed" and not check.asserts)
            if check.asserts or test["outcome"] != "passed":
                tests.append(test)
            elif check.keeps and (value := told(self.shell.user_ns)):
                return [*(_bounded(tests) or [test_of(None, "passed", "")]), test_of(check, "passed", "") | value]
        return _bounded(tests) or [test_of(None, "passed", "")]

    def _check(self, check: Told) -> Test:
        self.recorder.forget()
        self.recorder.compare_with.check += 1
        if self.terms.pristine:
            self.seen.take(self.terms.pristine.put_back_quickly())
        error = self._raised(check)
        if error is None:
            return self._passed(check)
        try:
            return self._failed(check, error)
        finally:
            _forget_frames(error)

    def _raised(self, check: Any) -> BaseException | None:
        code = compiled(check.node, self.recorder, PLACE)
        self.recorder.compare_with.origins.code.update(id(inner) for inner in nested(code))
        try:
            self._execute(code)
        except BaseException as error:  # noqa: BLE001 - a test fails whatever the student's code raises, SystemExit too
            return error
        return None

    def _execute(self, code: CodeType) -> None:
        namespace = self.shell.user_ns
        if code.co_flags & inspect.CO_COROUTINE:
            run: Callable[[Any], Any] = getattr(self.shell, "loop_runner", asyncio.run)
            run(eval(code, namespace))
        else:
            exec(code, namespace)

    def _passed(self, check: Told) -> Test:
        """Nothing was raised; an assertion must also be known to have been reached."""
        if check.asserts and self.recorder.count == 0:
            self.seen.note("assertion-skipped" if check.certain else "no-assertion-ran", check.name)
            if check.certain:
                return test_of(check, "failed", "fails")
        return test_of(check, "passed", "")

    def _failed(self, check: Told, error: BaseException) -> Test:
        if isinstance(error, KeyboardInterrupt):
            return test_of(check, "timed-out", "timed-out", **fault_of(error, self.shifts, told=False))
        if isinstance(error, MemoryError):
            return test_of(check, "crashed", "memory", **fault_of(error, self.shifts, told=False))
        unmet = isinstance(error, AssertionError) or (
            self.recorder.got == "no error" and type(error).__name__ == "Failed"
        )
        if not unmet:
            return test_of(check, "failed", "raised", **fault_of(error, self.shifts, told=not check.hidden))
        return self._unmet(check, error)

    def _unmet(self, check: Told, error: BaseException) -> Test:
        """An assertion that does not hold: the author's words if there are any, else what differs."""
        fault = fault_of(error, self.shifts, told=False)
        if fault["cell"] is not None:  # raised by an assertion in the student's own code
            return test_of(check, "failed", "raised", **fault)
        recorder = self.recorder
        said = recorder.failed.said if recorder.failed else ""
        # What a library's assertion says may hold the expected value.
        # What a helper says is the author's, but made of values that a hidden test may have called it with.
        place = _raised_at(error)
        own = place == PLACE or (place == GIVEN and not check.hidden)
        text = (_words(error) if own else "") or said
        if not text and not own and not check.hidden and recorder.got is None:
            text = _words(error)
        if recorder.got is None or check.hidden:
            return test_of(check, "failed", "said" if text else "fails", text=text)
        values = {"expression": recorder.expression, "expected": recorder.expected, "got": recorder.got}
        return test_of(check, "failed", "said" if text else "differs", text=text, **values)


def plain_source(source: str) -> str | None:
    """The source without IPython's syntax; None for what is no Python either way."""
    try:
        ast.parse(source)
        return source
    except UNREADABLE:
        pass
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        # A transformer of its own: what the student's cells registered with the shell does not touch the tests.
        plain: str = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
        ast.parse(plain)
    except UNREADABLE:
        return None
    return plain


def _bound(source: str) -> set[str]:
    """Every name that the test cell binds anywhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names


def _raised_at(error: BaseException) -> str:
    """The file name of the code that raised it: PLACE for a line of the test cell itself."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last.tb_frame.f_code.co_filename if last is not None else ""


def _forget_frames(error: BaseException) -> None:
    """The student's code may keep what it raised: no traceback of it leads into the test."""
    waiting: list[BaseException | None] = [error]
    for _ in range(100):
        if not waiting:
            return
        each = waiting.pop()
        if each is not None:
            each.__traceback__ = None
            waiting += [each.__context__, each.__cause__]
            each.__context__ = None


def _bounded(tests: list[Test]) -> list[Test]:
    """All that did not pass, and as many of the others as a page can show."""
    if len(tests) <= MOST_TESTS:
        return tests
    return ([test for test in tests if test["outcome"] != "passed"] or tests)[:MOST_TESTS]


def _words(error: BaseException) -> str:
    try:
        return clip(str(error.args[0]), 1_000) if error.args else ""
    except Exception:  # noqa: BLE001 - the message may be an object of the student's
        return ""


def test_of(check: Told | None, outcome: str, reason: str, **fields: Any) -> Test:
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
