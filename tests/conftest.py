"""For every test: the repository's root is importable, and under CI=true nothing is skipped in silence.

What a machine cannot have is asked for with `tests.support.needs.needs("docker")`, or with the marker of the same name; both
skip with the reason. Under CI=true each skip, whoever asked for it, is turned into a failure here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("unit", "integration", "e2e")
sys.path.insert(0, str(ROOT))

from tests.support.needs import needs  # noqa: E402  (importable only from here on)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "needs(*parts): parts of the machine (see tests/support/needs.py) it cannot do without"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is quick to fail comes first: unit, integration, browser."""
    items.sort(key=lambda item: FOLDERS.index(item.path.relative_to(ROOT / "tests").parts[0]))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        needs(*marker.args)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _fail_where_nothing_is_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped:
        _fail_where_nothing_is_skipped(report)
    return report


def _fail_where_nothing_is_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"Under CI=true nothing may be skipped. {reason}"
