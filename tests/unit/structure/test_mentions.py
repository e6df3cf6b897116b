"""Files, modules and names that a docstring, a comment or a page mentions exist."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.repository import PACKAGE, ROOT, committed_files, modules

# A path with a folder in it, such as `domain/merge.py` or `labextension/src/panel/`.
_PATH = re.compile(
    r"`([\w.-]+/[\w./-]*\w\.(?:py|ts|tsx|html|toml|css)|(?:pmh_jupyter|tests|labextension|docs|tools)/[\w./-]*)`"
)
_DOTTED = re.compile(r"`([a-z_]\w*(?:\.\w+)+)(?:\(\))?`")
_FILE_ENDINGS = (
    "py",
    "ts",
    "tsx",
    "toml",
    "md",
    "html",
    "json",
    "css",
    "ipynb",
    "txt",
    "yml",
    "sqlite",
    "lock",
    "csv",
    "log",
    "mjs",
)
# Files of courses, homes and data folders, which pages mention and the repository does not hold.
_ELSEWHERE = re.compile(
    r"^(docs/_build|hub\.log|courses/<|source/|submitted/|release/|my-course/|hello/|\.|~|data/|lib/|share/|etc/|logs/|work/)"
)


@cache
def _tracked() -> frozenset[str]:
    """Every tracked file and folder, relative to the root."""
    files = [path.relative_to(ROOT) for path in committed_files()]
    return frozenset(name.as_posix() for path in files for name in (path, *path.parents))


@cache
def _defined_names(module: str) -> frozenset[str]:
    """Names that a module defines at its top level, and attributes of its classes as `Class.attribute`."""
    names: set[str] = set()
    for node in ast.parse(modules()[module].read_text(encoding="utf-8")).body:
        names |= _names_of(node)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{name}" for child in ast.walk(node) for name in _names_of(child)}
    return frozenset(names)


def _names_of(node: ast.AST) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {
            name.id if isinstance(name, ast.Name) else name.attr for target in node.targets for name in _targets(target)
        }
    if isinstance(node, ast.AnnAssign):
        return {name.id if isinstance(name, ast.Name) else name.attr for name in _targets(node.target)}
    return set()


def _targets(node: ast.AST) -> Iterator[ast.Name | ast.Attribute]:
    return (child for child in ast.walk(node) if isinstance(child, ast.Name | ast.Attribute))


def _path_exists(path: str) -> bool:
    name = path.rstrip("/")
    return any(tracked == name or tracked.endswith(f"/{name}") for tracked in _tracked())


def _name_exists(dotted: str) -> bool:
    """True where a dotted name is a module of ours or a name in one. A first part that is no module of ours is not checked."""
    parts = dotted.split(".")
    if parts[-1] in _FILE_ENDINGS or not any(f".{parts[0]}." in f".{module}." for module in modules()):
        return True
    for length in range(len(parts), 0, -1):
        prefix, rest = ".".join(parts[:length]), ".".join(parts[length:])
        for module in modules():
            if f".{module}".endswith(f".{prefix}") and (not rest or rest in _defined_names(module)):
                return True
    return False


def _texts(path: Path) -> Iterator[str]:
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield re.sub(r"^```.*?^```", "", source, flags=re.MULTILINE | re.DOTALL)
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def _missing(texts: Iterator[str]) -> list[str]:
    mentions = [
        (match[1], exists)
        for text in texts
        for pattern, exists in ((_PATH, _path_exists), (_DOTTED, _name_exists))
        for match in pattern.finditer(text)
    ]
    return [name for name, exists in mentions if not _ELSEWHERE.match(name) and not exists(name)]


PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)]
SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", [*PAGES, *SOURCES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_text_mentions_exists(path: Path) -> None:
    assert not _missing(_texts(path))


def test_mention_of_a_missing_name_is_reported() -> None:
    assert _missing(iter(["See `domain/nowhere.py`, `domain.merge.merge_everything` and `domain/merge.py`."])) == [
        "domain/nowhere.py",
        "domain.merge.merge_everything",
    ]
