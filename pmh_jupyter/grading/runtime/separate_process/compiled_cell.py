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

from pmh_jupyter.grading.runtime.execution.plain_python import to_plain_python
from pmh_jupyter.grading.runtime.separate_process.cell_transform import class_body_names, transform_statement
from pmh_jupyter.grading.runtime.test_cells.assertion_recorder import AssertionSite
from pmh_jupyter.grading.runtime.test_cells.assertion_rewriter import AssertionRewriter, compile_statement
from pmh_jupyter.grading.runtime.test_cells.checks import Check, CheckSpec, read_checks
from pmh_jupyter.grading.runtime.test_cells.code_filenames import TEST_CELL_FILENAME


@dataclass(frozen=True)
class CompiledCheck(CheckSpec):
    """A statement's `code`, which lacks its recorder, and the `names` that are fetched before it runs."""

    code: CodeType
    names: frozenset[str]


@dataclass(frozen=True)
class CompiledCell:
    """`plain` is the cell in plain Python; `rules` are what its code calls by number (see `record.Recorder`)."""

    python_source: str
    sites: Mapping[int, AssertionSite]
    checks: tuple[CompiledCheck, ...]


class _SiteTable(dict[int, AssertionSite]):
    """What is noted of a cell while it is rewritten."""

    def rewrite(self, node: ast.stmt, source: str | None, feedback_by_line: dict[int, str]) -> None:
        """See `checks.Rewriter`."""
        AssertionRewriter(self, source, feedback_by_line).visit(node)

    def register_site(self, expression: str | None, feedback: str, *, is_swapped: bool = False) -> int:
        self[len(self)] = AssertionSite(expression, feedback, is_swapped)
        return len(self) - 1


def compile_cell(source: str) -> CompiledCell | None:
    """None for what is no Python."""
    python_source, sites = to_plain_python(source), _SiteTable()
    if python_source is None:
        return None
    return CompiledCell(
        python_source, sites, tuple(map(_compile_check, read_checks(ast.parse(python_source), python_source, sites)))
    )


def _compile_check(check: Check) -> CompiledCheck:
    names = frozenset(class_body_names(check.node))
    try:
        code = compile_statement(transform_statement(check.node), TEST_CELL_FILENAME)
    except (SyntaxError, ValueError, RecursionError) as error:  # a `return` at the top, say: found when it is its turn
        code = compile_statement(_raise_statement(error), TEST_CELL_FILENAME)
    spec_fields = (
        check.name,
        check.expression,
        check.is_hidden,
        check.has_assertion,
        check.always_asserts,
        check.is_credit_expression,
    )
    return CompiledCheck(*spec_fields, code=code, names=names)


def _raise_statement(error: Exception) -> ast.stmt:
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return ast.parse(f"raise {type(error).__name__}({message!r})").body[0]


def pack_cell(cell: CompiledCell | None) -> str:
    """As it is kept; "" for what cannot be."""
    if cell is None:
        return ""
    sites = tuple((number, *astuple(site)) for number, site in cell.sites.items())
    checks = tuple(tuple(vars(check).values()) for check in cell.checks)
    return b64encode(MAGIC_NUMBER + marshal.dumps((cell.python_source, sites, checks))).decode("ascii")


def unpack_cell(packed_cell: str) -> CompiledCell | None:
    """What was kept; None where it is of another Python, or nothing."""
    raw = b64decode(packed_cell)
    if not raw.startswith(MAGIC_NUMBER):
        return None
    python_source, sites, checks = marshal.loads(raw[len(MAGIC_NUMBER) :])
    return CompiledCell(
        python_source,
        {number: AssertionSite(*rule) for number, *rule in sites},
        tuple(CompiledCheck(*check) for check in checks),
    )
