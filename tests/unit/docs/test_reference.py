"""The reference says what the code does: tables are generated and current, and every name in prose exists."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from pmh_jupyter.authoring import schema
from pmh_jupyter.cli import COMMAND_MODULES
from pmh_jupyter.config import Settings
from pmh_jupyter.domain.achievements import ICONS, RULES
from pmh_jupyter.domain.markers import RegionKind
from pmh_jupyter.domain.verdict import Outcome
from tests.support.repository import ROOT
from tools import reference

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)]


def _text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_generated_pages_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(check=True) == 0, capsys.readouterr().err


def test_a_page_that_is_out_of_date_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("reference/api.md", "explanation/grading.md"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(_text(name), encoding="utf-8")
    monkeypatch.setattr(reference, "DOCS", tmp_path)
    assert reference.main(check=True) == 1
    assert reference.main(check=False) == 0
    assert reference.main(check=True) == 0
    assert (tmp_path / "reference/settings.md").read_text(encoding="utf-8") == _text("reference/settings.md")


def test_a_table_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="routes"):
        reference._fill_tables("# A page\n", {"routes": reference.routes_table})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_variable_named_exists(page: Path) -> None:
    others = {"PMH_TOKEN", "PMH_SERVICE_URL"}
    named = set(re.findall(r"\bPMH_[A-Z_]*[A-Z]", page.read_text(encoding="utf-8")))
    assert named <= {*Settings.traits_by_variable(), *others}


def test_every_make_command_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        name
        for page in PAGES
        for name in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {"up", "test"} <= named <= targets


def test_every_verb_and_flag_is_on_the_page() -> None:
    page = _text("reference/command-line.md")
    commands = list(_commands())
    assert {"pmh up", "pmh course validate", "pmh db check"} <= {name for name, _ in commands}
    for name, words in commands:
        section = re.search(rf"^## `{name}[^\n]*`\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        assert section, f"{name} has no section"
        assert not [word for word in words if f"`{word}" not in section[0] and f" {word}" not in section[0]], name


def test_no_verb_on_the_page_is_made_up() -> None:
    known = {name for name, _ in _commands()}
    for command in re.findall(r"^## `(pmh [^`]*)`", _text("reference/command-line.md"), re.MULTILINE):
        assert any(command == name or command.startswith(f"{name} ") for name in known), command


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Every verb in full, with its flags and the names of its arguments."""
    parser = argparse.ArgumentParser("pmh")
    commands = parser.add_subparsers()
    for noun in COMMAND_MODULES:
        import_module(f"pmh_jupyter.cli.{noun}").register(commands)
    yield from _leaves("pmh", parser)


def _leaves(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, list[str]]]:
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in nested:
        for verb, child in action.choices.items():
            yield from _leaves(f"{name} {verb}", child)
    if not nested:
        flags = [flag for action in parser._actions for flag in action.option_strings if flag not in ("-h", "--help")]
        yield name, flags


def test_every_key_of_a_course_is_on_the_page() -> None:
    page = _text("reference/course-format.md")
    models = (schema.CourseFile, schema.UnitEntry, schema.LessonEntry, schema.ConceptEntry, schema.AchievementEntry)
    for model in (*models, schema.LimitsEntry, schema.CellMeta):
        assert not [key for key in model.model_fields if f"`{key}`" not in page], model.__name__


@pytest.mark.parametrize("word", [*(mark.value for mark in RegionKind), *RULES])
def test_every_marker_and_rule_is_on_the_page(word: str) -> None:
    assert word in _text("reference/course-format.md")


@pytest.mark.parametrize("outcome", [outcome.value for outcome in Outcome])
def test_every_outcome_is_explained(outcome: str) -> None:
    assert f"`{outcome}`" in _text("explanation/grading.md")


def test_icons_named_are_known_and_the_panel_draws_each() -> None:
    source = (ROOT / "labextension/src/components/glyph.tsx").read_text(encoding="utf-8")
    pictures = set(re.findall(r"^  '?([a-z-]+)'?: ", source, re.MULTILINE))
    line = re.search(r"^\| `icon`.*$", _text("reference/course-format.md"), re.MULTILINE)
    assert line
    named = set(re.findall(r"`([a-z-]+)`", line[0])) - {"icon"}
    assert named == ICONS
    assert ICONS <= pictures
