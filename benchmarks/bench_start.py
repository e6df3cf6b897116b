"""Measures the time from the click on Start to JupyterLab with the panel, in a real browser: in our lean environment and in a full one."""

from __future__ import annotations

import time
import venv
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from benchmarks.report import BenchmarkReport
from pmh_jupyter.hub.up.installer import install_packages
from tests.support.browser.chromium import running_browser, somebody
from tests.support.hub.up_process import UpProcess, running_up
from tests.support.repository import ROOT
from tests.support.wheel import HUB_PINS, build_wheel

RUNS = 6
GOAL_SECONDS = 4.0
LEAN_ENVIRONMENT, FULL_ENVIRONMENT = "lean environment", "one environment with all"


def make_full_environment(folder: Path) -> Path:
    """Create an environment with hub, authoring and nbgrader together, at the same versions, and return its Python."""
    completed = build_wheel(ROOT, folder / "dist")
    assert completed.returncode == 0, completed.stderr
    [wheel] = (folder / "dist").glob("*.whl")
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(HUB_PINS.findall((ROOT / "requirements" / "dev.lock").read_text())))
    python = folder / "env" / "bin" / "python"
    venv.create(folder / "env", with_pip=False, symlinks=True)
    install_packages(python, "--constraint", str(constraints), f"{wheel}[hub,authoring]", compile_bytecode=True)
    return python


class Visitor:
    """A user on the hub's home page."""

    def __init__(self, page: Page, hub: UpProcess, name: str) -> None:
        self.page = page
        self.home = f"{hub.address}/hub/home"
        page.goto(f"{hub.address}/hub/login?next=%2Fhub%2Fhome")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill("any password")
        page.get_by_role("button", name="Sign in").click()

    def start(self) -> float:
        """Return the seconds from the click on Start until a usable Lab shows the panel's tab."""
        button = self.page.get_by_role("button", name="Start My Server")
        button.wait_for()
        started_at = time.perf_counter()
        button.click()
        self.page.get_by_role("tab", name="Lessons").wait_for()
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")
        return time.perf_counter() - started_at

    def stop(self) -> None:
        """Stop the server and return to the home page."""
        self.page.goto(self.home)
        self.page.get_by_role("button", name="Stop My Server").click()
        expect(self.page.get_by_role("button", name="Stop My Server")).to_be_hidden()
        self.page.goto(self.home)


@pytest.mark.needs("chromium", "bubblewrap")
def bench_from_start_to_lab(report: BenchmarkReport, tmp_path: Path) -> None:
    """Measure both environments in turns, so that other load affects both. Each start has a new user with a new browser."""
    first_visits: dict[str, list[float]] = {LEAN_ENVIRONMENT: [], FULL_ENVIRONMENT: []}
    later_visits: dict[str, list[float]] = {LEAN_ENVIRONMENT: [], FULL_ENVIRONMENT: []}
    for folder in (tmp_path / "lean", tmp_path / "whole", tmp_path / "made"):
        folder.mkdir()
    python = make_full_environment(tmp_path / "made")
    with ExitStack() as stack:
        hubs = {
            LEAN_ENVIRONMENT: stack.enter_context(running_up(tmp_path / "lean", PMH_AUTHENTICATOR="dummy")),
            FULL_ENVIRONMENT: stack.enter_context(
                running_up(tmp_path / "whole", PMH_AUTHENTICATOR="dummy", PMH_SERVER_PYTHON=str(python))
            ),
        }
        browser = stack.enter_context(running_browser())
        for run in range(RUNS + 1):
            for environment, hub in hubs.items():
                with somebody(browser) as page:
                    visitor = Visitor(page, hub, f"visitor-{run}")
                    first_visits[environment].append(visitor.start())
                    visitor.stop()
                    later_visits[environment].append(visitor.start())
                    visitor.stop()
    for visit, seconds in (("first visit", first_visits), ("later visit", later_visits)):
        # The very first start fills the machine's caches and is not counted.
        lean, full = seconds[LEAN_ENVIRONMENT][1:], seconds[FULL_ENVIRONMENT][1:]
        report.add(f"Start to Lab, {visit}, {LEAN_ENVIRONMENT}", "s", lean, GOAL_SECONDS)
        report.add(f"Start to Lab, {visit}, {FULL_ENVIRONMENT}", "s", full)
        report.add(f"Start to Lab, {visit}, all ÷ lean", "×", [b / a for a, b in zip(lean, full, strict=True)])
