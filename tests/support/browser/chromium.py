"""Chromium for tests: the system's one where it is, else Playwright's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

# A test's browser talks to the hub under test and to nobody else; without these it looks for its vendor at every start.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE = (1400, 900)
PHONE = (390, 844)
SECONDS = 30_000  # milliseconds, as Playwright counts: how long a person would wait


def chromium_path() -> str | None:
    """The system's Chromium; None: Playwright's own, if it has one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def somebody(browser: Browser, size: tuple[int, int] = WIDE, dark: bool = False) -> Iterator[Page]:
    """A page with cookies and storage of its own, and more tabs as its context opens them. AssertionError at its end if a script threw."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        accept_downloads=True,
        reduced_motion="reduce",
    )
    context.set_default_timeout(SECONDS)
    thrown: list[str] = []
    context.on("weberror", lambda error: thrown.append(str(error.error)))
    try:
        yield context.new_page()
    finally:
        context.close()
    assert not thrown, thrown
