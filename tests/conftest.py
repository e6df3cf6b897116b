"""Rules for every test: the repository's root is importable, tests that share a resource share a process, and CI skips nothing.

A test that needs a part of the machine says so with `tests.support.needs.needs("docker")` or the marker of the same name; both skip
with the reason. Under CI=true every skip is turned into a failure, whoever asked for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path, PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.needs import needs  # noqa: E402  (importable only from here on)

FOLDERS = ("unit", "integration", "e2e")
# Folders whose tests share a fixture that takes seconds to start: they run in one process, and the slowest of them start first.
SHARED_FOLDERS = (
    "e2e",
    "integration/hub",
    "integration/up",
    "integration/parity",
    "integration/attacks",
    "integration/faults",
    "integration/wheel",
    "integration/service",
    "unit/storage",
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "needs(*parts): parts of the machine (see tests/support/needs.py) it cannot do without"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run what is quick to fail first. With several processes, start the slowest groups first, so that all end at the same time."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _group_rank(item.nodeid))
    else:
        items.sort(key=lambda item: FOLDERS.index(item.path.relative_to(ROOT / "tests").parts[0]))


class _GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Distributes groups of tests to processes. Markers cannot name groups: pytest 9.2 ignores the ids that pytest-xdist 3.8 gives them."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    return _GroupScheduling(config, log) if config.getoption("dist") == "loadgroup" else None


def _group(nodeid: str) -> str:
    """The tests that run in one process with this one: a machine has one Docker engine, and some folders share a fixture.

    Docker and the browser are never used side by side: each container adds a network interface, and Chromium then ends all of its requests.
    """
    path = PurePosixPath(nodeid.partition("::")[0].removeprefix("tests/"))
    if "docker" in path.stem or nodeid.endswith("[docker]"):
        return "e2e"
    return next((folder for folder in SHARED_FOLDERS if path.is_relative_to(folder)), path.as_posix())


def _group_rank(nodeid: str) -> int:
    group = _group(nodeid)
    return SHARED_FOLDERS.index(group) if group in SHARED_FOLDERS else len(SHARED_FOLDERS)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        needs(*marker.args)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _fail_if_nothing_may_be_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped:
        _fail_if_nothing_may_be_skipped(report)
    return report


def _fail_if_nothing_may_be_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"Under CI=true nothing may be skipped. {reason}"
