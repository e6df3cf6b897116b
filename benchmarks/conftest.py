"""Benchmarks ask for `figures`, and add what they have measured; the table of all comes at the end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.figures import Figures, machine  # noqa: E402  (importable only from here on)
from tests.support.needs import needs  # noqa: E402

FIGURES = pytest.StashKey[Figures]()
MACHINE = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*parts): see tests/support/needs.py")
    config.stash[FIGURES], config.stash[MACHINE] = Figures(), machine()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        needs(*marker.args)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    return request.config.stash[FIGURES]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("figures")
    for line in (config.stash[MACHINE], "", *config.stash[FIGURES].table()):
        terminalreporter.write_line(line)
