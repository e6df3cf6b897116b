"""The vocabulary of the project: words that were retired do not come back.

The words that replace them stand in docs/contributing.md, section "Words". Identifiers are split at underscores and capitals, so
that `wall_clock` is two words and `firewall` is one.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repository import ROOT, committed_files

RETIRED_IN_IDENTIFIERS = frozenset(
    "zygote zygotes healed told said dear mend mended wish wishes poke judging judgings walled unwalled wall walls twin twins "
    "apart crossing crossings handles room rooms board boards standing rights".split()
)
# Ordinary English within a name and for a variable, but as the whole name of a file, class or function they are retired.
RETIRED_NAMES = frozenset("feed given inside shown side tries".split())
RETIRED_IN_TEXT = re.compile(
    r"\b(zygotes?|healed|told|said|dear|mend(s|ed|ing)?|hand(s|ed|ing)?[ -]in|our fault|judgings?|judged (apart|inside)"
    r"|walls?(?! (time|clock))(?!-clock)|rooms?|not begun)\b",
    re.IGNORECASE,
)
# The spelling is American. `enrol` is a word of the API, and so it stays.
BRITISH = re.compile(
    r"((?<![a-z])(neighbour|behaviour|colour|favour|honour|labour|catalogue|licence|defence|offence|artefact|misspelt|learnt|grey)"
    r"|(?<![a-z])(label|model|travel|signal)l(ed|ing)(?![a-z])"
    r"|(?<![a-z])(organ|recogn|normal|serial|deserial|initial|synchron|summar|optim|minim|maxim|real|util|token|priorit|custom|general"
    r"|sanit|visual|final|author|special|standard|unauthor)is(e|ed|es|ing|ation)(?![a-z])"
    r"|(?<![a-z])(analys(e|ed|ing)|centre|towards)(?![a-z]))",
    re.IGNORECASE,
)
# Code of students and of attacks is theirs; this file holds the words that it forbids.
EXEMPT = ("tests/submissions/", "tests/unit/structure/test_glossary.py", "labextension/package-lock.json", "LICENSE")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


FILES = [path for path in committed_files() if not _name(path).startswith(EXEMPT)]
PYTHON = [path for path in FILES if path.suffix == ".py"]
TYPESCRIPT = [path for path in FILES if path.suffix in (".ts", ".tsx")]
PAGES = [path for path in FILES if path.suffix in (".md", ".html") or path.name in ("Makefile", "pyproject.toml")]


def _identifiers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        for field in ("id", "name", "attr", "arg", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield value


def _defined_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def _retired_identifiers(names: Iterator[str]) -> set[str]:
    return {
        name
        for name in names
        if any(BRITISH.match(word) for word in _WORD.findall(name))
        or RETIRED_IN_IDENTIFIERS.intersection(word.lower() for word in _WORD.findall(name))
        and not re.search(r"wall_?(time|clock|schedule)", name, re.IGNORECASE)
    }


def _prose(path: Path, source: str) -> Iterator[str]:
    """Comments and docstrings; of the product every string, since people read its messages."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    is_product = _name(path).startswith(("pmh_jupyter/", "jupyterhub_config.py", "tools/"))
    for node in ast.walk(ast.parse(source)):
        if is_product and isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def _retired_phrases(texts: Iterator[str]) -> list[str]:
    return [match[0] for text in texts for words in (RETIRED_IN_TEXT, BRITISH) for match in words.finditer(text)]


@pytest.mark.parametrize("path", PYTHON, ids=_name)
def test_python_uses_the_projects_words(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert not _retired_identifiers(_identifiers(tree))
    assert not RETIRED_NAMES.intersection([path.stem, *_defined_names(tree)])
    assert not _retired_phrases(_prose(path, source))


@pytest.mark.parametrize("path", TYPESCRIPT, ids=_name)
def test_typescript_uses_the_projects_words(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not _retired_identifiers(iter(re.findall(r"\w+", source)))
    assert not _retired_phrases(iter([source]))


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_pages_use_the_projects_words(path: Path) -> None:
    assert not _retired_phrases(iter([path.read_text(encoding="utf-8")]))


def test_retired_whole_name_is_reported_where_it_is_defined() -> None:
    tree = ast.parse("def feed(side): parser.shown(side)\nclass given: ...")
    assert RETIRED_NAMES.intersection(_defined_names(tree)) == {"feed", "given"}


def test_retired_word_is_reported() -> None:
    assert _retired_identifiers(iter(["find_wall", "ZygotePool", "toldOnce"])) == {
        "find_wall",
        "ZygotePool",
        "toldOnce",
    }
    assert not _retired_identifiers(iter(["wall_time", "firewall", "foretold"]))
    assert _retired_phrases(iter(["It was handed in behind the wall."])) == ["handed in", "wall"]
    assert not _retired_phrases(iter(["A schedule stores wall time."]))


def test_british_spelling_is_reported_in_text_and_names() -> None:
    assert _retired_phrases(iter(["Behaviour of the neighbours, once recognised, is labelled."])) == [
        "Behaviour",
        "neighbour",
        "recognised",
        "labelled",
    ]
    assert not _retired_phrases(iter(["Its behavior is recognized, labeled and analyzed; analyses promise precision."]))
    assert _retired_identifiers(iter(["find_neighbours", "initialiseAll"])) == {"find_neighbours", "initialiseAll"}
