"""Source text is split into lines in one way: as Python's parser counts them, not as `str.splitlines` does."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pmh_jupyter.python_source.lines import split_source_lines
from tests.support.repository import modules

ALLOWED = {
    "pmh_jupyter.domain.notebook_json": "nbformat splits the text of a cell so when it writes a notebook",
    "pmh_jupyter.hub.port_owners": "a table of the kernel's, not source",
    "pmh_jupyter.wire.typescript": "a docstring of ours, not source",
}
SEPARATORS = ("\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")


def calls_of_splitlines(path: Path) -> list[int]:
    """Return the lines of a module that call `.splitlines` of a text. `text.encode().splitlines()` splits bytes, as Python does."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "splitlines"
        and not _is_encode_call(call.func.value)
    ]


def _is_encode_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "encode"


@pytest.mark.parametrize("module", sorted(modules()))
def test_no_module_splits_source_with_splitlines(module: str) -> None:
    assert calls_of_splitlines(modules()[module]) == [] or module in ALLOWED


def test_every_allowed_module_still_needs_it() -> None:
    assert [name for name in ALLOWED if not calls_of_splitlines(modules()[name])] == []


def test_check_finds_a_call(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("lines = source.splitlines()\nraw = source.encode().splitlines()\n")
    assert calls_of_splitlines(tmp_path / "module.py") == [1]


@pytest.mark.parametrize("separator", SEPARATORS)
def test_lines_are_counted_as_the_parser_counts_them(separator: str) -> None:
    source = f"'''a{separator}b'''\nx = 1"
    last_line = ast.parse(source).body[-1].lineno
    lines = split_source_lines(source)
    assert len(lines) == last_line and lines[-1] == "x = 1"
    assert "".join(split_source_lines(source, keepends=True)) == source


@pytest.mark.parametrize("source", ["", "a", "a\n", "\n", "\n\n", "a\r\nb\rc\n", "\r\r\n\n"])
def test_text_without_other_separators_is_split_like_splitlines(source: str) -> None:
    assert split_source_lines(source) == source.splitlines()
    assert split_source_lines(source, keepends=True) == source.splitlines(True)
