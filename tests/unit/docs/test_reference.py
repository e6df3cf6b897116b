"""The reference pages are complete and current: tables are generated, and every setting, command and key is documented."""

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
from pmh_jupyter.domain.achievements import ACHIEVEMENT_ICONS, COUNTERS_BY_RULE
from pmh_jupyter.domain.markers import RegionKind
from pmh_jupyter.domain.verdict import Outcome
from tests.support.repository import ROOT
from tests.unit.structure.test_runtime_layers import LAYERS
from tools import reference

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)]


def _text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_generated_pages_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(check=True) == 0, capsys.readouterr().err


def test_outdated_page_is_reported_and_rewritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("reference/api.md", "explanation/grading.md"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(_text(name), encoding="utf-8")
    monkeypatch.setattr(reference, "DOCS", tmp_path)
    assert reference.main(check=True) == 1
    assert reference.main(check=False) == 0
    assert reference.main(check=True) == 0
    assert (tmp_path / "reference/settings.md").read_text(encoding="utf-8") == _text("reference/settings.md")


def test_table_without_markers_is_an_error() -> None:
    with pytest.raises(ValueError, match="routes"):
        reference._fill_tables("# A page\n", {"routes": reference.routes_table})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_variable_on_a_page_exists(page: Path) -> None:
    variables_of_the_command = {"PMH_TOKEN", "PMH_SERVICE_URL"}
    documented = set(re.findall(r"\bPMH_[A-Z_]*[A-Z]", page.read_text(encoding="utf-8")))
    assert documented <= {*Settings.list_traits_by_variable(), *variables_of_the_command}


def test_every_make_target_on_a_page_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    documented = {
        name
        for page in PAGES
        for name in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {"up", "test"} <= documented <= targets


def test_every_command_and_option_is_documented() -> None:
    page = _text("reference/command-line.md")
    commands = list(_commands())
    assert {"pmh up", "pmh course validate", "pmh db check"} <= {name for name, _ in commands}
    for name, options in commands:
        section = re.search(rf"^## `{name}[^\n]*`\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        assert section, f"{name} has no section"
        assert not [
            option for option in options if f"`{option}" not in section[0] and f" {option}" not in section[0]
        ], name


def test_every_documented_command_exists() -> None:
    command_names = {name for name, _ in _commands()}
    for command in re.findall(r"^## `(pmh [^`]*)`", _text("reference/command-line.md"), re.MULTILINE):
        assert any(command == name or command.startswith(f"{name} ") for name in command_names), command


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Every command with its options."""
    parser = argparse.ArgumentParser("pmh")
    commands = parser.add_subparsers()
    for noun in COMMAND_MODULES:
        import_module(f"pmh_jupyter.cli.{noun}").register(commands)
    yield from _leaves("pmh", parser)


def _leaves(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, list[str]]]:
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in nested:
        for subcommand, child in action.choices.items():
            yield from _leaves(f"{name} {subcommand}", child)
    if not nested:
        flags = [flag for action in parser._actions for flag in action.option_strings if flag not in ("-h", "--help")]
        yield name, flags


def test_every_key_of_a_course_is_documented() -> None:
    page = _text("reference/course-format.md")
    models = (schema.CourseFile, schema.UnitEntry, schema.LessonEntry, schema.ConceptEntry, schema.AchievementEntry)
    for model in (*models, schema.LimitsEntry, schema.CellMeta):
        assert not [key for key in model.model_fields if f"`{key}`" not in page], model.__name__


@pytest.mark.parametrize("word", [*(mark.value for mark in RegionKind), *COUNTERS_BY_RULE])
def test_every_marker_and_achievement_rule_is_documented(word: str) -> None:
    assert word in _text("reference/course-format.md")


@pytest.mark.parametrize("outcome", [outcome.value for outcome in Outcome])
def test_every_outcome_is_documented(outcome: str) -> None:
    assert f"`{outcome}`" in _text("explanation/grading.md")


def test_documented_icons_are_accepted_and_drawn_by_the_panel() -> None:
    source = (ROOT / "labextension/src/components/icon.tsx").read_text(encoding="utf-8")
    drawn_icons = set(re.findall(r"^  '?([a-z-]+)'?: ", source, re.MULTILINE))
    line = re.search(r"^\| `icon`.*$", _text("reference/course-format.md"), re.MULTILINE)
    assert line
    documented = set(re.findall(r"`([a-z-]+)`", line[0])) - {"icon"}
    assert documented == ACHIEVEMENT_ICONS
    assert ACHIEVEMENT_ICONS <= drawn_icons


def test_layers_of_the_runtime_are_listed_in_their_order() -> None:
    table = _text("explanation/grading-runtime.md").partition("| package |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == ("python_source", *LAYERS)


def test_rules_of_what_tests_believe_are_numbered_and_cited_rules_exist() -> None:
    page = _text("explanation/what-tests-believe.md")
    rules = re.findall(r"^- \*\*([A-Z])(\d+)†?\.", page, re.MULTILINE)
    assert len(rules) == len(re.findall(r"^- ", page, re.MULTILINE))
    last_numbers = {letter: int(number) for letter, number in rules}
    assert rules == [(letter, str(number)) for letter, last in last_numbers.items() for number in range(1, last + 1)]
    assert set(re.findall(r"\b([A-Z])(\d+)\b", page)) == set(rules)
