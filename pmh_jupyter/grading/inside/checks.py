"""A test cell as a list of checks: each assertion on its own, everything else as it stands.

nbgrader's rule decides about points (every assertion must hold, and nothing may raise); running on after the first assertion that
fails only tells the student more. Lines between the hidden markers are checks without a name, an operand or a literal.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from .credit import keeping
from .rewrite import is_assert_call, is_raising, raises_assertion
from .segments import segment, words_of
from .text import clip

BEGIN, END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
FEEDBACK = re.compile(r"\s*#+\s*feedback:\s*(.+?)\s*$", re.IGNORECASE)
"""The author's words to a student whose answer does not meet the assertion below: `# feedback: Mind the empty list.`"""


@dataclass(frozen=True)
class Told:
    """What is said of one top-level statement of a test cell. `name` is empty unless the student may read it; `asserts`: it is a
    test by itself; `certain`: it cannot have passed without an assertion having been reached; `keeps`: it gives a value (`credit`).
    """

    name: str
    expression: str
    hidden: bool
    asserts: bool
    certain: bool
    keeps: bool


@dataclass(frozen=True)
class Check(Told):
    """A statement as it is run."""

    node: ast.stmt


class Rewriter(Protocol):
    """What makes a statement of a test cell report on itself."""

    def rewrite(self, node: ast.stmt, source: str | None, said: dict[int, str]) -> None:
        """Changes the statement in place. `source` None: hidden. `said`: the author's words by line of the assertion."""


def read_checks(tree: ast.Module, source: str, rewriter: Rewriter | None = None) -> list[Check]:
    """The checks of a test cell, given as the syntax tree of its plain Python, too; `rewriter` changes each of them in the tree."""
    hidden_lines = set(_hidden_lines(source))
    helpers = {node.name for node in tree.body if isinstance(node, FUNCTIONS) and _holds_assertion(node)}
    said = feedback(source)
    checks = []
    for node in tree.body:
        text = words_of(node, source)
        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        hidden = not hidden_lines.isdisjoint(lines) or BEGIN in text
        words = ("", "") if hidden else (_name(node, source), _expression(node, source))
        asserts = _asserts(node, helpers)
        kept = keeping(node, source) if node is tree.body[-1] and not asserts else node
        if rewriter is not None:  # one that holds nothing yet is empty
            rewriter.rewrite(kept, None if hidden else source, said)
        certain = isinstance(kept, ast.Assert) or _is_wrapped(kept)
        checks.append(Check(*words, hidden, asserts, certain=certain, keeps=kept is not node, node=kept))
    return checks


def _is_wrapped(node: ast.stmt) -> bool:
    """A call of something that asserts by itself; a helper's name is called as it stands."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Call)


def feedback(source: str) -> dict[int, str]:
    """The author's words, by the number of the line that they stand above."""
    lines = source.splitlines()
    found: dict[int, str] = {}
    for number, line in enumerate(lines, start=1):
        words = FEEDBACK.fullmatch(line)
        if words:
            found[number + 1] = " ".join(filter(None, (found.pop(number, ""), words[1])))
    return found


def without_hidden(source: str) -> str:
    """The source without its hidden tests."""
    hidden = set(_hidden_lines(source))
    lines = source.splitlines(keepends=True)
    return "".join(line for number, line in enumerate(lines, start=1) if number not in hidden)


def _hidden_lines(source: str) -> Iterator[int]:
    inside = False
    for number, line in enumerate(source.splitlines(), start=1):
        inside = inside or BEGIN in line
        if inside:
            yield number
        inside = inside and END not in line


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _asserts(node: ast.stmt, helpers: set[str]) -> bool:
    """True for an assertion, a block that holds one, and a call of assert… or of a helper that asserts; not for a definition."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    return _holds_assertion(node) or any(
        isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in helpers
        for inner in ast.walk(node)
    )


def _holds_assertion(node: ast.AST) -> bool:
    return any(
        isinstance(inner, ast.Assert)
        or is_raising(inner)
        or raises_assertion(inner)
        or (isinstance(inner, ast.Expr) and is_assert_call(inner.value))
        for inner in ast.walk(node)
    )


def _name(node: ast.stmt, source: str) -> str:
    if isinstance(node, ast.Assert) and isinstance(node.msg, ast.Constant) and isinstance(node.msg.value, str):
        return clip(node.msg.value)
    if isinstance(node, ast.Assert):
        return segment(node.test, source)
    return _expression(node, source)


def _expression(node: ast.stmt, source: str) -> str:
    """What the student is told was evaluated: the left side of a comparison, else the expression, else the first line."""
    if isinstance(node, ast.Assert):
        compare = isinstance(node.test, ast.Compare) and len(node.test.ops) == 1
        return segment(node.test.left if compare and isinstance(node.test, ast.Compare) else node.test, source)
    return segment(node, source).partition("\n")[0].rstrip(":")
