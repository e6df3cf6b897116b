"""The first visit: the panel is open and asks for the join code. Later visits restore the layout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Response, expect

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.service.bootstrap import bootstrap_database
from tests.e2e.conftest import NewPage, UniqueName
from tests.support.browser.axe import PANEL_ELEMENTS, accessibility_violations
from tests.support.hub.actors import Student
from tests.support.hub.up_process import running_up
from tests.support.lab.page import focus

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(180)]


def is_layout_with_file_browser(reply: Response) -> bool:
    """Whether Lab has saved a layout in which the file browser is the current tab on the left. Earlier layouts may arrive before it."""
    request = reply.request
    if "/api/workspaces" not in reply.url or request.method != "PUT":
        return False
    layout = (request.post_data_json or {})["data"]["layout-restorer:data"]
    return bool(reply.ok and layout["left"]["current"] == "filebrowser")


class OpenHub(NamedTuple):
    address: str
    join_code: str


@pytest.fixture(scope="module")
def open_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHub]:
    """A hub that accepts any user name, so that its users are in no classroom yet."""
    folder = tmp_path_factory.mktemp("open")
    codes = bootstrap_database(Settings(data_dir=str(folder / "data")))
    with running_up(folder, PMH_AUTHENTICATOR="dummy") as up:
        yield OpenHub(up.address, codes[Role.STUDENT])


COUNT_LAUNCHER_FOCUS = """
window.launcherFocusCount = 0;
document.addEventListener("focusin", event => { if (event.target.matches(".jp-Launcher")) window.launcherFocusCount += 1; });
"""


def test_start_of_jupyterlab_does_not_interrupt_the_join_form(
    open_hub: OpenHub, new_page: NewPage, unique_name: UniqueName
) -> None:
    page = new_page()
    page.add_init_script(COUNT_LAUNCHER_FOCUS)
    omar = Student(page, open_hub, unique_name("omar")).log_in().arrive_in_lab()
    field = omar.panel.get_by_label("Join code")
    field.focus()
    page.wait_for_function("window.launcherFocusCount > 0")  # JupyterLab activates its Launcher at the end of its start
    expect(field).to_be_focused()
    page.keyboard.type(open_hub.join_code)
    page.keyboard.press("Enter")
    expect(omar.panel.get_by_role("button", name="Open lesson Values and names")).to_be_visible()
    assert focus(page).is_in_panel


def test_join_code_opens_the_classroom(open_hub: OpenHub, new_page: NewPage, unique_name: UniqueName) -> None:
    nora = Student(new_page(), open_hub, unique_name("nora")).log_in().arrive_in_lab()
    form = nora.panel.get_by_role("form", name="Join your classroom")
    expect(form).to_be_visible()
    assert accessibility_violations(nora.page, PANEL_ELEMENTS) == []

    form.get_by_label("Join code").fill("NOT-A-CODE")
    form.get_by_role("button", name="Join").click()
    error = form.get_by_role("alert")
    expect(error).to_contain_text("join code")
    assert accessibility_violations(nora.page, PANEL_ELEMENTS) == []

    form.get_by_label("Join code").fill(open_hub.join_code)
    nora.page.keyboard.press("Enter")
    expect(nora.panel.get_by_role("button", name="Open lesson Values and names")).to_be_visible()
    expect(form).to_have_count(0)
    focus(nora.page)  # raises if the focus is lost when the form disappears

    # Later visits restore the layout.
    with nora.page.expect_response(is_layout_with_file_browser):
        nora.page.get_by_role("tab", name="File Browser").click()
        expect(nora.panel).to_be_hidden()
    nora.page.reload()
    nora.arrive_in_lab()
    expect(nora.page.get_by_role("tab", name="File Browser")).to_have_attribute("aria-selected", "true")
    expect(nora.panel).to_be_hidden()
