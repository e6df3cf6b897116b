"""Small files and small functions: what makes code hard to live with is its tail."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.repository import ROOT, committed_files

FILE_LINES = {".py": 400, ".ts": 300, ".tsx": 300}
FUNCTION_LINES = 50
POSITIONAL = 6

# Nobody reads these in one sitting: one is generated, and a migration is a list.
LISTS = ("labextension/src/wire.ts", "pmh_jupyter/storage/migrations/versions/")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


SOURCES = [path for path in committed_files() if path.suffix in FILE_LINES and not _name(path).startswith(LISTS)]
PYTHON = [path for path in SOURCES if path.suffix == ".py"]


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES[path.suffix]


@pytest.mark.parametrize("path", PYTHON, ids=_name)
def test_functions_are_short_and_take_few_arguments(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES]
    assert not long, f"over {FUNCTION_LINES} lines"
    if "tests" not in path.relative_to(ROOT).parts:  # a test's arguments are its fixtures
        wide = [node.name for node in functions if _positional(node) > POSITIONAL]
        assert not wide, f"over {POSITIONAL} positional arguments"


def _positional(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args]]
    return len([name for name in names if name not in ("self", "cls")])
