"""A hub as `make up` starts it, a browser, and its users. All tests share one hub, so each user gets a new name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser.chromium import DESKTOP_SIZE, TIMEOUT_MS, browser_page, running_browser
from tests.support.hub.up_process import UpProcess, running_up
from tests.support.needs import needs


class NewPage(Protocol):
    """Opens a page for another person: `new_page(size=PHONE_SIZE, dark=True)`."""

    def __call__(self, size: tuple[int, int] = DESKTOP_SIZE, dark: bool = False) -> Page: ...


UniqueName = Callable[[str], str]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser per module: while Playwright runs, it occupies this thread's event loop, and no asynchronous test can run."""
    needs("chromium")
    expect.set_options(timeout=TIMEOUT_MS)
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    """`pmh up` with the local spawner."""
    folder: Path = tmp_path_factory.mktemp("classroom")
    with running_up(folder) as up:
        yield up


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    with ExitStack() as stack:

        def open_page(size: tuple[int, int] = DESKTOP_SIZE, dark: bool = False) -> Page:
            return stack.enter_context(browser_page(browser, size, dark))

        yield open_page


_numbers = count(1)


@pytest.fixture
def unique_name() -> UniqueName:
    """Make a user name that was not used before, so that the user has an empty workspace."""
    return lambda prefix: f"{prefix}-{next(_numbers)}"
