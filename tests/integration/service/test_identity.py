"""Who somebody is comes from the Hub alone: tokens by their scopes, browsers by OAuth; neither reaches more than it should."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import httpx
import pytest
from tornado.web import decode_signed_value

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.service import login
from tests.support.hub.bare_hub import BareHub
from tests.support.service.service_process import (
    JOIN_CODES,
    CLASSROOM,
    RunningService,
    check_response,
    prepare_database,
    running_service,
    make_settings,
)
from tests.support.storage.postgres import Cluster

BOARD = f"/services/pmh/classrooms/{CLASSROOM}/gradebook"
API_BOARD = f"/services/pmh/api/classrooms/{CLASSROOM}/gradebook"


Opener = Callable[["RunningService", str], "Browser"]


class Browser:
    """A browser that is logged in at the Hub and follows redirects between Hub and service, as the proxy would show them."""

    def __init__(self, live: RunningService, name: str) -> None:
        self.live = live
        self.client = live.hub.log_in(name)
        self.origin = live.base_url.removesuffix("/services/pmh")

    async def get(self, path: str, origin: str = "", **headers: str) -> httpx.Response:
        """One request, no redirect followed."""
        if path.startswith("/hub/"):
            origin = self.live.hub.address
        reply = await asyncio.to_thread(self.client.get, (origin or self.origin) + path, headers=headers)
        if not path.startswith("/hub/"):
            check_response(reply)
        return reply

    def xsrf(self) -> str:
        """The token that pages of this session carry."""
        secret = self.live.service.cookie_secret
        cookie = self.client.cookies.get("service-pmh", path="/services/pmh/")
        session = decode_signed_value(secret, "service-pmh", (cookie or "").strip('"'))
        assert session
        return login.xsrf_token(secret, session.decode())

    async def walk(self, path: str, origin: str = "") -> httpx.Response:
        """Follows redirects to the end, at most ten."""
        for _ in range(10):
            reply = await self.get(path, origin)
            if reply.status_code != 302:
                return reply
            path = reply.headers["Location"]
        raise AssertionError(f"too many redirects, the last to {path}")


@pytest.fixture
def open_browser(hub: BareHub) -> Iterator[Callable[[RunningService, str], Browser]]:
    """Makes browsers that are closed at the end."""
    with ExitStack() as stack:

        def make(live: RunningService, name: str) -> Browser:
            browser = Browser(live, name)
            stack.callback(browser.client.close)
            return browser

        yield make


async def test_a_browser_logs_in_through_the_hub(live: RunningService, open_browser: Opener) -> None:
    browser = open_browser(live, "teacher")
    page = await browser.walk(BOARD)
    assert page.status_code == 200
    assert (await browser.get(API_BOARD)).status_code == 200


@pytest.mark.postgres
async def test_a_log_in_is_finished_by_another_process(
    tmp_path: Path, hub: BareHub, cluster: Cluster, open_browser: Opener
) -> None:
    url = cluster.url(cluster.make())
    first, second = (make_settings(tmp_path / "data", url) for _ in range(2))
    prepare_database(first)
    async with running_service(first, hub) as one, running_service(second, hub) as two:
        browser = open_browser(one, "teacher")
        left = (await browser.get(BOARD)).headers["Location"]
        assert parse_qs(urlparse(left).query)["code_challenge_method"] == ["S256"]
        back = (await browser.get(left)).headers["Location"]
        reply = await browser.get(back, two.base_url.removesuffix("/services/pmh"))
        assert (reply.status_code, reply.headers["Location"]) == (302, BOARD)
        assert (await browser.get(BOARD)).status_code == 200


async def test_a_log_in_begun_elsewhere_is_refused(live: RunningService, open_browser: Opener) -> None:
    browser, stranger = open_browser(live, "teacher"), open_browser(live, "mallory")
    left = (await browser.get(BOARD)).headers["Location"]
    back = (await browser.get(left)).headers["Location"]
    assert (await stranger.get(back)).status_code == 403
    assert (await browser.get("/services/pmh/oauth_callback?code=x&state=../../x")).status_code == 403
    assert (await browser.get("/services/pmh/oauth_callback")).status_code == 400
    assert (await browser.get(back)).status_code == 302
    assert (await browser.get(back)).status_code == 403  # a log-in is good once


async def test_scripts_of_other_pages_cannot_use_a_session(live: RunningService, open_browser: Opener) -> None:
    browser = open_browser(live, "teacher")
    await browser.walk(BOARD)
    script = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
    assert (await browser.get(API_BOARD, **script)).json()["code"] == "not-allowed"
    assert (await browser.get(API_BOARD, **{"Sec-Fetch-Mode": "no-cors"})).status_code == 403
    join = f"{live.base_url}/api/join"
    body = {"join_code": JOIN_CODES[Role.STUDENT]}
    assert (await asyncio.to_thread(browser.client.post, join, json=body)).status_code == 403

    ours = {"X-Xsrftoken": browser.xsrf()}  # what a page of ours is rendered with
    assert (await browser.get(API_BOARD, **script, **ours)).status_code == 200
    assert (await asyncio.to_thread(browser.client.post, join, json=body, headers=ours)).status_code == 200


async def test_a_servers_token_reaches_nothing_of_staffs(live: RunningService) -> None:
    server = live.student("teacher")  # the token of an instructor's own server
    me = await server.get("api/me")
    await server.get(f"api/classrooms/{CLASSROOM}/gradebook", 403)
    await server.get(f"api/classrooms/{CLASSROOM}/members/{me['id']}/work", 403)
    await live.staff("teacher").get(f"api/classrooms/{CLASSROOM}/gradebook")


async def test_a_token_opens_no_page(live: RunningService, open_browser: Opener) -> None:
    for caller in (live.student("teacher"), live.staff("teacher")):
        reply = await caller.call("GET", f"classrooms/{CLASSROOM}/gradebook", 302)
        assert "/hub/api/oauth2/authorize" in reply.headers["Location"]
    browser = open_browser(live, "mallory")  # a session of somebody who is no member
    page = await browser.walk(BOARD)
    assert page.status_code == 404 and "You are in no classroom" in page.text


async def test_a_student_is_no_staff_whatever_the_token(live: RunningService) -> None:
    ada = live.staff("ada")
    await ada.get(f"api/classrooms/{CLASSROOM}/gradebook", 404)
    await ada.join()
    assert (await ada.get(f"api/classrooms/{CLASSROOM}/gradebook", 403))["code"] == "not-allowed"


@pytest.mark.parametrize(
    "header", [b"token", b"token nonsense", "token nön-ascii".encode("latin-1"), b"Basic x", b"token " + b"a" * 4000]
)
async def test_without_a_token_that_the_hub_knows_nobody_is_anybody(live: RunningService, header: bytes) -> None:
    reply = await live.anonymous().call("GET", "api/me", 401, headers={"Authorization": header})
    assert reply.json()["code"] == "not-logged-in"


async def test_a_token_that_was_taken_back_stops_working(live: RunningService, hub: BareHub) -> None:
    ada = live.student("ada")
    await ada.get("api/me")
    admin = {"Authorization": f"token {hub.admin_token}"}
    with httpx.Client(base_url=f"{hub.address}/hub/api/users/ada", headers=admin) as client:
        for token in client.get("/tokens").json()["api_tokens"]:
            client.delete(f"/tokens/{token['id']}")
    now = live.service.hub._clock()
    live.service.hub._clock = lambda: now + 61
    await ada.get("api/me", 401)


async def test_a_hub_that_does_not_answer_is_no_reason_to_log_in(settings: Settings, hub: BareHub) -> None:
    async with running_service(settings, replace(hub, address="http://127.0.0.1:9")) as live:
        ada = live.anonymous()
        ada.token = "some-token"
        assert (await ada.get("api/me", 503))["code"] == "unavailable"
