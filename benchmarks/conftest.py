"""Benchmarks use the fixture `report` to add their measurements; a table of all follows at the end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.report import BenchmarkReport, describe_machine  # noqa: E402  (importable only from here on)
from tests.support.needs import needs  # noqa: E402

REPORT_KEY = pytest.StashKey[BenchmarkReport]()
MACHINE_KEY = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*parts): see tests/support/needs.py")
    config.stash[REPORT_KEY], config.stash[MACHINE_KEY] = BenchmarkReport(), describe_machine()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        needs(*marker.args)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> BenchmarkReport:
    return request.config.stash[REPORT_KEY]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("figures")
    for line in (config.stash[MACHINE_KEY], "", *config.stash[REPORT_KEY].table()):
        terminalreporter.write_line(line)
