"""The hub's pages for accounts, in both themes on a phone: accessible, and without horizontal scrolling."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewPage, UniqueName
from tests.support.browser.axe import accessibility_violations
from tests.support.browser.chromium import PHONE_SIZE
from tests.support.hub.actors import Student
from tests.support.hub.up_process import UpProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(180)]

# The landmarks of JupyterHub's own pages are JupyterHub's.
LOG_IN_FORM = "#login-main"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_account_pages_are_accessible_on_a_phone(
    hub: UpProcess, new_page: NewPage, unique_name: UniqueName, dark: bool
) -> None:
    page = new_page(size=PHONE_SIZE, dark=dark)
    page.goto(f"{hub.address}/hub/login")
    assert accessibility_violations(page, LOG_IN_FORM) == []
    page.goto(f"{hub.address}/hub/signup")
    assert accessibility_violations(page) == []
    Student(page, hub, unique_name("phoebe")).sign_up(hub.join_code("Students"))
    page.goto(f"{hub.address}/hub/password")
    expect(page.get_by_role("heading", name="Change your password")).to_be_visible()
    assert accessibility_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_SIZE[0], "the page scrolls sideways"
