"""Chromium for tests: the system's, or else Playwright's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

# Without these flags Chromium contacts its vendor at every start. A test's browser only needs the hub under test.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP_SIZE = (1400, 900)
PHONE_SIZE = (390, 844)
# Starting a server or a container takes its time on a busy machine.
TIMEOUT_MS = 60_000


def chromium_path() -> str | None:
    """Return the path of the system's Chromium; None: Playwright uses its own, if it has one."""
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
def browser_page(browser: Browser, size: tuple[int, int] = DESKTOP_SIZE, dark: bool = False) -> Iterator[Page]:
    """A page in a browser context of its own, with separate cookies and storage. AssertionError at the end if a script failed."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        accept_downloads=True,
        reduced_motion="reduce",
    )
    context.set_default_timeout(TIMEOUT_MS)
    script_errors: list[str] = []
    context.on("weberror", lambda error: script_errors.append(f"{error.error}\n{error.error.stack}"))
    try:
        yield context.new_page()
    finally:
        errors_before_closing = [*script_errors]  # closing a page makes its pending requests fail
        context.close()
    assert not errors_before_closing, "\n".join(errors_before_closing)
