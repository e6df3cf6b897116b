"""Functions are named by what they do: the name begins with a verb, or with a predicate if it answers yes or no.

Properties, fixtures and functions inside functions may be nouns: they are read as values.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repository import PACKAGE, ROOT

VERBS = frozenset(
    """
    accept acquire activate add admit adopt advance analyze answer append apply ask assemble assign authenticate await back begin bind
    blank bootstrap bring build call capture change check checkpoint choose claim clean clear clip close collect compile complete
    compute configure confine connect consume convert copy count create decide decode delete derive describe detach detect
    determine die disable discard do drop dump empty enable encode end enforce enqueue enrol ensure enter evaluate evict exchange
    exec execute exit expand explain export extend extract fail fetch fill filter find fingerprint finish flag flatten forget fork
    format forward free generate get grade grant group guard handle hash import index initialize insert inspect install
    instantiate invalidate iter iterate join kill limit list load locate lock log lookup make map mark match measure merge mount
    move normalize note notify open operate pack pair parse pick pin ping plan poll pop post prepare print probe process put query
    quote raise rank read reap receive reconnect record recover redact redeem redirect reduce refill refuse register regrade
    release remember remove rename render renew repeat replace replay reply report request requeue require reserve reset resolve
    restore retire return rewrite rotate round run sanitize save scan schedule seed select send serialize serve set settle share
    show sign sort spawn split stage start step stop store strip submit summarize supervise swap sync synchronize take terminate
    throw transform try unbind undo unload unmount unpack unshare unwatch update upgrade use validate verify visit wait wake walk
    warm warn watch widen wrap write
    """.split()
)
PREDICATES = frozenset(
    """
    allows are asserts belongs can claims contains creates defines does equal evaluates exists expects gives has have holds
    inherits is loops matches may must needs permits raises reads recognizes refers runs should shows uses
    """.split()
)
# A hook is named by when it is called, a conversion by what it converts to or from.
PREPOSITIONS = frozenset("after as before from on to with".split())
# Names that Python, Linux, IPython, Jupyter or Tornado look up.
PROTOCOL_NAMES = frozenset(
    """
    data_received emit fileno getsource items keys main mro prctl showsyntaxerror showtraceback values writable
    _jupyter_labextension_paths _jupyter_server_extension_points
    """.split()
)
# The product, and the support code of tests that grade.
FOLDERS = (PACKAGE, ROOT / "tests" / "support" / "grading", ROOT / "tests" / "support" / "attacks")
PATHS = sorted(path for folder in FOLDERS for path in folder.rglob("*.py"))
NOUN_DECORATORS = ("property", "default(", "validator", "serializer", "contextmanager", "computed_field")


def _functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions of a module and methods of its classes, without what stands inside a function."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node.body)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _is_named_like_a_value(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(part in ast.unparse(decorator) for decorator in function.decorator_list for part in NOUN_DECORATORS)


def _has_accepted_name(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    head = function.name.lstrip("_").partition("_")[0]
    is_special = function.name.startswith("__") or function.name in PROTOCOL_NAMES
    return is_special or head in VERBS | PREDICATES | PREPOSITIONS or _is_named_like_a_value(function)


def _find_nouns(source: str) -> list[str]:
    return [function.name for function in _functions(ast.parse(source).body) if not _has_accepted_name(function)]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_function_begins_with_a_verb(path: Path) -> None:
    assert not _find_nouns(path.read_text(encoding="utf-8"))


def test_function_named_by_a_noun_is_reported() -> None:
    source = """
def names_of(cell): ...
class Cell:
    @property
    def text(self): ...
    def text_of(self): ...
    def __len__(self): ...
    def read_text(self):
        def text(): ...
"""
    assert _find_nouns(source) == ["names_of", "text_of"]
