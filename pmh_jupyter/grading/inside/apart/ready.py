"""A test cell made ready to run apart: read, rewritten and compiled. That takes longer than most tests run, and is the same for every
submission, so the host keeps what a judge has made of a cell, and sends it along with the next submissions.

What is kept is read back with `marshal`, which believes what it reads. So it is only ever made by a judge that runs nobody's code.
"""

from __future__ import annotations

import ast
import marshal
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from importlib.util import MAGIC_NUMBER
from types import CodeType

from ..checks import Check, Told, read_checks
from ..judge import plain_source
from ..record import Rule
from ..rewrite import Rewrite, code_of
from ..watch import PLACE
from .statements import class_body_names, prepare


@dataclass(frozen=True)
class ReadyCheck(Told):
    """A statement's `code`, which lacks its recorder, and the `names` that are fetched before it runs."""

    code: CodeType
    names: frozenset[str]


@dataclass(frozen=True)
class ReadyCell:
    """`plain` is the cell in plain Python; `rules` are what its code calls by number (see `record.Recorder`)."""

    plain: str
    rules: Mapping[int, Rule]
    checks: tuple[ReadyCheck, ...]


class _Rules(dict[int, Rule]):
    """What is noted of a cell while it is rewritten."""

    def rewrite(self, node: ast.stmt, source: str | None, said: dict[int, str]) -> None:
        """See `checks.Rewriter`."""
        Rewrite(self, source, said).visit(node)

    def rule(self, expression: str | None, said: str, *, swapped: bool = False) -> int:
        self[len(self)] = Rule(expression, said, swapped)
        return len(self) - 1


def make_ready(source: str) -> ReadyCell | None:
    """None for what is no Python."""
    plain, rules = plain_source(source), _Rules()
    if plain is None:
        return None
    return ReadyCell(plain, rules, tuple(map(_ready, read_checks(ast.parse(plain), plain, rules))))


def _ready(check: Check) -> ReadyCheck:
    names = frozenset(class_body_names(check.node))
    try:
        code = code_of(prepare(check.node), PLACE)
    except (SyntaxError, ValueError, RecursionError) as error:  # a `return` at the top, say: found when it is its turn
        code = code_of(_raising(error), PLACE)
    told = (check.name, check.expression, check.hidden, check.asserts, check.certain, check.keeps)
    return ReadyCheck(*told, code=code, names=names)


def _raising(error: Exception) -> ast.stmt:
    words = error.msg if isinstance(error, SyntaxError) else str(error)
    return ast.parse(f"raise {type(error).__name__}({words!r})").body[0]


def packed(cell: ReadyCell | None) -> str:
    """As it is kept; "" for what cannot be."""
    if cell is None:
        return ""
    rules = tuple((number, *astuple(rule)) for number, rule in cell.rules.items())
    checks = tuple(tuple(vars(check).values()) for check in cell.checks)
    return b64encode(MAGIC_NUMBER + marshal.dumps((cell.plain, rules, checks))).decode("ascii")


def unpacked(kept: str) -> ReadyCell | None:
    """What was kept; None where it is of another Python, or nothing."""
    raw = b64decode(kept)
    if not raw.startswith(MAGIC_NUMBER):
        return None
    plain, rules, checks = marshal.loads(raw[len(MAGIC_NUMBER) :])
    return ReadyCell(
        plain, {number: Rule(*rule) for number, *rule in rules}, tuple(ReadyCheck(*check) for check in checks)
    )
