"""A hub as `make up` gives it, one browser, and people. One hub for all stories; fresh names keep them apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser.chromium import SECONDS, WIDE, running_browser, somebody
from tests.support.hub.up_process import UpProcess, running_up
from tests.support.needs import needs

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for longer than a module: while Playwright runs it holds this thread's event loop, and no asynchronous test can."""
    needs("chromium")
    expect.set_options(timeout=SECONDS)
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    """`pmh up` with the local spawner, as a person starts it."""
    folder: Path = tmp_path_factory.mktemp("classroom")
    with running_up(folder) as up:
        yield up


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Pages of different people: `new_page(size=PHONE, dark=True)`."""
    with ExitStack() as stack:
        yield lambda size=WIDE, dark=False: stack.enter_context(somebody(browser, size, dark))


_number = count(1)


@pytest.fixture
def name() -> Callable[[str], str]:
    """A name that nobody has yet: a fresh user has a fresh workspace."""
    return lambda kind: f"{kind}-{next(_number)}"
