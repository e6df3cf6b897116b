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
_ATTRIBUTE = re.compile(r"`([A-Z]\w*\.\w+)(?:\(\))?`")
# A name of the code in a comment, such as _find_problems. Backticks around it are optional.
_PRIVATE_NAME = re.compile(r"(?<![\w.])(_[a-z]+(?:_[a-z]+)*)\b(?!/)")
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


@cache
def _classes() -> dict[str, list[ast.ClassDef]]:
    """Every class of the package by its name."""
    classes: dict[str, list[ast.ClassDef]] = {}
    for path in modules().values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                classes.setdefault(node.name, []).append(node)
    return classes


def _attribute_exists(dotted: str) -> bool:
    """True where a class of ours, or a base of it, has an attribute. A class that is not ours is not checked."""
    class_name, attribute = dotted.split(".")
    return class_name not in _classes() or any(_has_attribute(node, attribute) for node in _classes()[class_name])


def _has_attribute(node: ast.ClassDef, attribute: str) -> bool:
    if any(attribute in _names_of(child) for child in ast.walk(node)):
        return True
    bases = [base.id if isinstance(base, ast.Name) else "" for base in node.bases]
    if node.keywords or any(base not in _classes() and base not in ("Protocol", "ABC") for base in bases):
        return True  # a class that is not ours may define it
    return any(_has_attribute(each, attribute) for base in bases for each in _classes().get(base, ()))


@cache
def _words_of_code() -> frozenset[str]:
    """Names in the package's code and words in its strings."""
    words: set[str] = set()
    for path in modules().values():
        for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
            if token.type != tokenize.COMMENT:
                words.update(re.findall(r"\w+", token.string))
    return frozenset(words)


def _find_missing_private_names(source: str) -> list[str]:
    """Return the private names in comments that no code of the package has."""
    return [
        name
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
        for name in _PRIVATE_NAME.findall(token.string)
        if name not in _words_of_code()
    ]


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
        for pattern, exists in ((_PATH, _path_exists), (_DOTTED, _name_exists), (_ATTRIBUTE, _attribute_exists))
        for match in pattern.finditer(text)
    ]
    return [name for name, exists in mentions if not _ELSEWHERE.match(name) and not exists(name)]


PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)]
SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", [*PAGES, *SOURCES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_text_mentions_exists(path: Path) -> None:
    assert not _missing(_texts(path))


def test_private_names_in_comments_exist() -> None:
    missing = {path.name: _find_missing_private_names(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert not {name: names for name, names in missing.items() if names}


def test_comment_with_a_missing_private_name_is_reported() -> None:
    assert _find_missing_private_names("pass  # _check_nothing and `_find_pmh_metadata_problems` report it\n") == [
        "_check_nothing"
    ]


def test_mention_of_a_missing_attribute_is_reported() -> None:
    assert _missing(iter(["For `Timeouts.idle_seconds`, not `Timeouts.idle`."])) == ["Timeouts.idle"]


def test_mention_of_a_missing_name_is_reported() -> None:
    assert _missing(iter(["See `domain/nowhere.py`, `domain.merge.merge_everything` and `domain/merge.py`."])) == [
        "domain/nowhere.py",
        "domain.merge.merge_everything",
    ]
