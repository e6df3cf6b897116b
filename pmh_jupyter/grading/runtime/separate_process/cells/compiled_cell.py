"""Compiles a test cell for the judge: parsed, rewritten and compiled.

Compiling takes longer than most tests, and its result is the same for every submission. So the host caches the compiled cells and sends
them with the next submissions. `unpack_cell` reads them with `marshal`, which trusts its input: they must come from a judge that has not
run any student code.
"""

from __future__ import annotations

import ast
import marshal
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from importlib.util import MAGIC_NUMBER
from types import CodeType

from pmh_jupyter.grading.runtime.separate_process.cells.cell_transform import transform_statement
from pmh_jupyter.grading.runtime.test_cells.assertion_sites import AssertionSite, SiteTable
from pmh_jupyter.grading.runtime.test_cells.code_filenames import TEST_CELL_FILENAME
from pmh_jupyter.grading.runtime.test_cells.recorder_code import compile_statement
from pmh_jupyter.grading.runtime.test_cells.statements import Statement, StatementSpec, read_statements
from pmh_jupyter.python_source.names import collect_class_body_names
from pmh_jupyter.python_source.plain_python import to_plain_python


@dataclass(frozen=True)
class CompiledStatement(StatementSpec):
    """A compiled statement.

    code: its code, without a recorder (see `insert_recorder`). names: names that are fetched before it runs.
    """

    code: CodeType
    names: frozenset[str]


@dataclass(frozen=True)
class CompiledCell:
    """A compiled test cell.

    python_source: the cell in plain Python. sites: the assertions that the code reports by number (see `AssertionRecorder`).
    """

    python_source: str
    sites: Mapping[int, AssertionSite]
    statements: tuple[CompiledStatement, ...]


def compile_cell(source: str) -> CompiledCell | None:
    """Compile a cell (IPython syntax). Returns None if it is not valid Python."""
    python_source, sites = to_plain_python(source), SiteTable()
    if python_source is None:
        return None
    return CompiledCell(
        python_source,
        sites.sites,
        tuple(map(_compile_statement, read_statements(ast.parse(python_source), python_source, sites))),
    )


def _compile_statement(statement: Statement) -> CompiledStatement:
    names = frozenset(collect_class_body_names(statement.node))
    try:
        code = compile_statement(transform_statement(statement.node), TEST_CELL_FILENAME)
    except (
        SyntaxError,
        ValueError,
        RecursionError,
    ) as error:  # for example a `return` at top level, which is reported when the statement runs
        code = compile_statement(_raise_statement(error), TEST_CELL_FILENAME)
    spec_fields = {field.name: getattr(statement, field.name) for field in fields(StatementSpec)}
    return CompiledStatement(**spec_fields, code=code, names=names)


def _raise_statement(error: Exception) -> ast.stmt:
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return ast.parse(f"raise {type(error).__name__}({message!r})").body[0]


def pack_cell(cell: CompiledCell | None) -> str:
    """Return the cell as a string for the cache; empty for None."""
    if cell is None:
        return ""
    sites = tuple((number, *astuple(site)) for number, site in cell.sites.items())
    statements = tuple(tuple(vars(statement).values()) for statement in cell.statements)
    return b64encode(MAGIC_NUMBER + marshal.dumps((cell.python_source, sites, statements))).decode("ascii")


def unpack_cell(packed_cell: str) -> CompiledCell | None:
    """Read a cell of the cache. Returns None if it is empty or of another Python version."""
    raw = b64decode(packed_cell)
    if not raw.startswith(MAGIC_NUMBER):
        return None
    python_source, sites, statements = marshal.loads(raw[len(MAGIC_NUMBER) :])
    return CompiledCell(
        python_source,
        {number: AssertionSite(*rule) for number, *rule in sites},
        tuple(CompiledStatement(*statement) for statement in statements),
    )
