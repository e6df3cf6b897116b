"""Helpers that locked cells of a release give: functions that its test cells call, and that a student's code could change.

The test cells get the judge's own: made anew from the release's source, with that cell's imports and literal constants, in names of
their own. What else a helper reads is looked up where the test cell's names are. A function that cannot be made without the
student's process (a default that calls a class of the notebook's, say), or that binds a global name, stays that process's, as
classes and data do.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from .bindings import UNREADABLE, bindings
from .checks import FUNCTIONS, read_checks
from .record import Recorder, Rule
from .rewrite import Rewrite, compiled
from .watch import GIVEN

_LITERAL = (
    *(ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp),
    *(ast.unaryop, ast.operator, ast.expr_context),
)
# Where to look for what a helper reads and its cell does not say.
Find = Callable[[str], Any]


class Relay:
    """What the helpers' assertions speak to: the recorder of the test cell that runs. Its rules are known to each."""

    def __init__(self) -> None:
        self.rules: dict[int, Rule] = {}
        self.recorder: Recorder | None = None

    def rewrite(self, node: ast.stmt, source: str | None, said: dict[int, str]) -> None:
        """See `checks.Rewriter`."""
        Rewrite(self, source, said).visit(node)

    def rule(self, expression: str | None, said: str, *, swapped: bool = False) -> int:
        number = -1 - len(self.rules)
        self.rules[number] = Rule(expression, said, swapped)
        return number

    def __getattr__(self, name: str) -> Any:
        return getattr(self.recorder, name)


class Helpers(dict[str, Any]):
    """By name, the functions of the given cells that ran so far. `prepare`: what is done to every statement of a test cell."""

    def __init__(self, prepare: Callable[[ast.stmt], ast.stmt] = lambda node: node) -> None:
        super().__init__()
        self.prepare = prepare
        self.relay = Relay()
        self.globals = _Globals()
        self._left: dict[str, tuple[Any, ...]] = {}
        self._read: set[str] = set()

    def begin(self, recorder: Recorder, find: Find) -> None:
        """Before a test cell. `find` raises KeyError for what it does not know, and for Python's own builtins."""
        self.relay.recorder, self.globals.find = recorder, find

    def add(self, source: str, namespace: Mapping[str, Any] | None = None) -> None:
        """A given cell (plain Python) has run: what it binds is no longer what another bound.

        `namespace` is the notebook's, where that is at hand: how the functions are there now is remembered for `is_changed`.
        """
        try:
            tree = ast.parse(source)
            checks = read_checks(ast.parse(source), source, self.relay)
        except UNREADABLE:
            return
        times = Counter(bindings(tree.body, top=True))
        for name in times:
            self.forget(name)
        handled = {name for node in tree.body if not isinstance(node, FUNCTIONS) for name in _reads(node)}
        for node, check in zip(tree.body, checks, strict=True):
            # What is bound again and again, or filled by the cell, depends on how the cell went.
            bound = set(bindings([node], top=True))
            if all(times[name] == 1 for name in bound) and not (_holds_mutable(node) and bound & handled):
                self._take(node, check.node)
        if namespace is not None:
            self._left |= {name: _state(namespace.get(name)) for name in self.keys() & times.keys()}

    def held(self) -> set[str]:
        """The names of which `forget` would take something away."""
        return (self.keys() | self.globals.keys() | self.globals.imports.keys()) - {"__name__", "__builtins__"}

    def reads(self) -> set[str]:
        """What the helpers read and have not of their own cells."""
        return self._read - self.globals.keys() - self.globals.imports.keys()

    def forget(self, name: str) -> None:
        """The notebook binds a name anew, as the reference does."""
        self.pop(name, None)
        self._left.pop(name, None)
        self.globals.forget(name)

    def is_changed(self, name: str, namespace: Mapping[str, Any]) -> bool:
        """Whether the notebook's own function of this name is no longer what it was when its cell had run."""
        before, now = self._left.get(name), _state(namespace.get(name))
        return before is not None and not (
            len(before) == len(now) and all(one is other for one, other in zip(before, now, strict=True))
        )

    def _take(self, node: ast.stmt, rewritten: ast.stmt) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.globals.imports.update({name: self.prepare(one) for name, one in _imports(node)})
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _is_literal(node.value):
            self._run(compile(ast.Module([node], []), GIVEN, "exec", dont_inherit=True), node)
        elif isinstance(node, FUNCTIONS) and not any(isinstance(inner, ast.Global) for inner in ast.walk(node)):
            function = _without_annotations(self.prepare(rewritten))
            if self._run(compiled(function, self.relay, GIVEN), node):
                self[node.name] = self.globals[node.name]
                self._read.update(_reads(node))

    def _run(self, code: Any, node: ast.stmt) -> bool:
        with self.globals.alone():
            try:
                exec(code, self.globals)
            except Exception:  # noqa: BLE001 - whatever it needs is the student's process's
                for name in bindings([node], top=True):
                    self.globals.forget(name)
                return False
        return True


class _Globals(dict[str, Any]):
    """The helpers' names. Modules are imported when a helper first reads them."""

    def __init__(self) -> None:
        super().__init__(__name__="__main__", __builtins__=builtins)
        self.imports: dict[str, ast.stmt] = {}
        self.find: Find = _nothing

    def __missing__(self, name: str) -> Any:
        statement = self.imports.pop(name, None)
        if statement is not None:
            try:
                exec(compile(ast.Module([statement], []), GIVEN, "exec", dont_inherit=True), self)
                return self[name]
            except ImportError:
                pass  # a module that lies beside the notebook: the student's process has it
        return self.find(name)

    def forget(self, name: str) -> None:
        self.pop(name, None)
        self.imports.pop(name, None)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While helpers are made, nothing else is asked for a name."""
        find, self.find = self.find, _nothing
        try:
            yield
        finally:
            self.find = find


def _nothing(name: str) -> Any:
    raise KeyError(name)


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, ast.stmt]]:
    """Each name that an import binds, with a statement that binds it alone."""
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        if isinstance(node, ast.Import):
            yield name, ast.copy_location(ast.Import([alias]), node)
        elif alias.name != "*" and not node.level:
            yield name, ast.copy_location(ast.ImportFrom(node.module, [alias], 0), node)


def _reads(node: ast.stmt) -> Iterator[str]:
    return (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load))


def _holds_mutable(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign | ast.AnnAssign) and any(
        isinstance(inner, ast.List | ast.Set | ast.Dict) for inner in ast.walk(node)
    )


def _is_literal(node: ast.expr) -> bool:
    return all(isinstance(inner, _LITERAL) for inner in ast.walk(node))


def _without_annotations(node: ast.stmt) -> ast.stmt:
    """Annotations may name what only the notebook has."""
    assert isinstance(node, FUNCTIONS)
    given = node.args
    for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if argument is not None:
            argument.annotation = None
    node.returns = None
    return node


def _state(function: Any) -> tuple[Any, ...]:
    """What a function is made of, each to be compared by identity."""
    if type(function) is not FunctionType:
        return (function,)
    named = function.__kwdefaults__ or {}
    return (function, function.__code__, *(function.__defaults__ or ()), *(named[name] for name in sorted(named)))
