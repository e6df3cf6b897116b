"""Somebody who has never been here: the panel is open, asks for the join code, and afterwards leaves the sidebar as it was left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Response, expect

from pmh_jupyter.config import Settings
from pmh_jupyter.service.bootstrap import bootstrap_database
from tests.support.browser.axe import OURS, findings
from tests.support.hub.actors import Student
from tests.support.hub.up_process import running_up

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(180)]


def saved_with_files(reply: Response) -> bool:
    """Lab has put down what lies where on the page, and that the files are at the left; earlier ones may still be on their way."""
    request = reply.request
    if "/api/workspaces" not in reply.url or request.method != "PUT":
        return False
    layout = request.post_data_json["data"]["layout-restorer:data"]
    return bool(reply.ok and layout["left"]["current"] == "filebrowser")


class OpenHub(NamedTuple):
    address: str
    join_code: str


@pytest.fixture(scope="module")
def open_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHub]:
    """A hub that lets anybody in by name: who comes is in no classroom yet."""
    folder = tmp_path_factory.mktemp("open")
    codes = bootstrap_database(Settings(data_dir=str(folder / "data"))).join_codes
    with running_up(folder, PMH_AUTHENTICATOR="dummy") as up:
        yield OpenHub(up.address, codes["student"])


def test_a_join_code_opens_the_classroom(open_hub, new_page, name):
    nora = Student(new_page(), open_hub, name("nora")).log_in().arrive_in_lab()
    form = nora.panel.get_by_role("form", name="Join your classroom")
    expect(form).to_be_visible()
    assert findings(nora.page, OURS) == []

    form.get_by_label("Join code").fill("NOT-A-CODE")
    form.get_by_role("button", name="Join").click()
    refused = form.get_by_role("alert")
    expect(refused).to_contain_text("join code")
    assert findings(nora.page, OURS) == []

    form.get_by_label("Join code").fill(open_hub.join_code)
    nora.page.keyboard.press("Enter")
    expect(nora.panel.get_by_role("button", name="Open lesson Values and names")).to_be_visible()
    expect(form).to_have_count(0)

    # Later visits find what the person left open.
    with nora.page.expect_response(saved_with_files):
        nora.page.get_by_role("tab", name="File Browser").click()
        expect(nora.panel).to_be_hidden()
    nora.page.reload()
    nora.arrive_in_lab()
    expect(nora.page.get_by_role("tab", name="File Browser")).to_have_attribute("aria-selected", "true")
    expect(nora.panel).to_be_hidden()
