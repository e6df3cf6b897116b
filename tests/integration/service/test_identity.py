"""Authentication by the Hub alone: tokens with their scopes, and browsers with OAuth. Neither gives more access than intended."""

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
    CLASSROOM,
    JOIN_CODES,
    RunningService,
    check_response,
    make_shared_settings,
    prepare_database,
    running_service,
)
from tests.support.storage.postgres import Cluster

PREFIX = "/services/pmh"
GRADEBOOK_PAGE = f"{PREFIX}/classrooms/{CLASSROOM}/gradebook"
GRADEBOOK_API = f"{PREFIX}/api/classrooms/{CLASSROOM}/gradebook"
SCRIPT_HEADERS = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}


class Browser:
    """A browser that is logged in at the Hub. It sends requests to the Hub and to the service as if they had one origin."""

    def __init__(self, live: RunningService, name: str) -> None:
        self.live = live
        self.client = live.hub.log_in(name)
        self.origin = live.base_url.removesuffix(PREFIX)

    async def get(self, path: str, origin: str = "", **headers: str) -> httpx.Response:
        """Send one request, without following redirects."""
        if path.startswith("/hub/"):
            origin = self.live.hub.address
        response = await asyncio.to_thread(self.client.get, (origin or self.origin) + path, headers=headers)
        if not path.startswith("/hub/"):
            check_response(response)
        return response

    async def follow_redirects(self, path: str, origin: str = "") -> httpx.Response:
        """Send a request and follows up to ten redirects."""
        for _ in range(10):
            response = await self.get(path, origin)
            if response.status_code != 302:
                return response
            path = response.headers["Location"]
        raise AssertionError(f"too many redirects, the last to {path}")

    async def log_in_at_hub(self) -> str:
        """Start a login at the service, and return the path to which the Hub redirects afterwards."""
        hub_path = (await self.get(GRADEBOOK_PAGE)).headers["Location"]
        assert parse_qs(urlparse(hub_path).query)["code_challenge_method"] == ["S256"]
        return str((await self.get(hub_path)).headers["Location"])

    def compute_xsrf_token(self) -> str:
        """The XSRF token that pages contain in this browser's session."""
        secret = self.live.service.cookie_secret
        cookie = self.client.cookies.get("service-pmh", path=f"{PREFIX}/")
        session = decode_signed_value(secret, "service-pmh", (cookie or "").strip('"'))
        assert session
        return login.compute_xsrf_token(secret, session.decode())


BrowserOpener = Callable[[RunningService, str], Browser]


@pytest.fixture
def open_browser(hub: BareHub) -> Iterator[BrowserOpener]:
    """Open browsers, which are closed at the end."""
    with ExitStack() as stack:

        def open_browser(live: RunningService, name: str) -> Browser:
            browser = Browser(live, name)
            stack.callback(browser.client.close)
            return browser

        yield open_browser


async def test_browser_logs_in_through_the_hub(live: RunningService, open_browser: BrowserOpener) -> None:
    browser = open_browser(live, "teacher")
    page = await browser.follow_redirects(GRADEBOOK_PAGE)
    assert page.status_code == 200
    assert "<h1>Physics</h1>" in page.text
    assert (await browser.get(GRADEBOOK_API)).status_code == 200


async def test_page_number_of_the_gradebook_is_validated(live: RunningService, open_browser: BrowserOpener) -> None:
    browser = open_browser(live, "teacher")
    await browser.follow_redirects(GRADEBOOK_PAGE)
    assert (await browser.get(f"{GRADEBOOK_PAGE}?page=1")).status_code == 200
    for page in ("0", "x", "-1", "9" * 20):
        for path in (GRADEBOOK_PAGE, GRADEBOOK_API):
            response = await browser.get(f"{path}?page={page}")
            assert response.status_code == 400 and "page must be a whole number" in response.text


@pytest.mark.postgres
async def test_login_started_by_one_process_is_finished_by_another(
    tmp_path: Path, hub: BareHub, cluster: Cluster, open_browser: BrowserOpener
) -> None:
    database_url = cluster.url(cluster.make())
    first, second = make_shared_settings(tmp_path / "data", database_url, 2)
    prepare_database(first)
    async with running_service(first, hub) as first_live, running_service(second, hub) as second_live:
        browser = open_browser(first_live, "teacher")
        callback_path = await browser.log_in_at_hub()
        response = await browser.get(callback_path, second_live.base_url.removesuffix(PREFIX))
        assert (response.status_code, response.headers["Location"]) == (302, GRADEBOOK_PAGE)
        assert (await browser.get(GRADEBOOK_PAGE)).status_code == 200


async def test_login_started_in_another_browser_is_refused(live: RunningService, open_browser: BrowserOpener) -> None:
    browser, other_browser = open_browser(live, "teacher"), open_browser(live, "mallory")
    callback_path = await browser.log_in_at_hub()
    assert (await other_browser.get(callback_path)).status_code == 403
    assert (await browser.get(callback_path)).status_code == 302


async def test_invalid_or_repeated_oauth_callback_is_refused(live: RunningService, open_browser: BrowserOpener) -> None:
    browser = open_browser(live, "teacher")
    assert (await browser.get(f"{PREFIX}/oauth_callback?code=x&state=../../x")).status_code == 403
    assert (await browser.get(f"{PREFIX}/oauth_callback")).status_code == 400
    callback_path = await browser.log_in_at_hub()
    assert (await browser.get(callback_path)).status_code == 302
    assert (await browser.get(callback_path)).status_code == 403


async def test_scripts_of_other_pages_cannot_use_a_session(live: RunningService, open_browser: BrowserOpener) -> None:
    browser = open_browser(live, "teacher")
    await browser.follow_redirects(GRADEBOOK_PAGE)
    assert (await browser.get(GRADEBOOK_API, **SCRIPT_HEADERS)).json()["code"] == "not-allowed"
    assert (await browser.get(GRADEBOOK_API, **{"Sec-Fetch-Mode": "no-cors"})).status_code == 403
    join_url = f"{live.base_url}/api/join"
    body = {"join_code": JOIN_CODES[Role.STUDENT]}
    assert (await asyncio.to_thread(browser.client.post, join_url, json=body)).status_code == 403

    xsrf_header = {"X-Xsrftoken": browser.compute_xsrf_token()}
    assert (await browser.get(GRADEBOOK_API, **SCRIPT_HEADERS, **xsrf_header)).status_code == 200
    response = await asyncio.to_thread(browser.client.post, join_url, json=body, headers=xsrf_header)
    assert response.status_code == 200


async def test_token_of_an_instructors_server_cannot_read_the_gradebook(live: RunningService) -> None:
    server = live.student("teacher")
    me = await server.get("api/me")
    await server.get(f"api/classrooms/{CLASSROOM}/gradebook", 403)
    await server.get(f"api/classrooms/{CLASSROOM}/members/{me['id']}/submissions", 403)
    await live.staff("teacher").get(f"api/classrooms/{CLASSROOM}/gradebook")


async def test_token_opens_no_page(live: RunningService) -> None:
    for client in (live.student("teacher"), live.staff("teacher")):
        response = await client.call("GET", f"classrooms/{CLASSROOM}/gradebook", 302)
        assert "/hub/api/oauth2/authorize" in response.headers["Location"]


async def test_classroom_page_does_not_exist_for_non_members(live: RunningService, open_browser: BrowserOpener) -> None:
    page = await open_browser(live, "mallory").follow_redirects(GRADEBOOK_PAGE)
    assert page.status_code == 404
    assert "You are not a member of a classroom" in page.text and "Physics" not in page.text


async def test_student_cannot_read_the_gradebook_with_the_teach_scope(live: RunningService) -> None:
    ada = live.staff("ada")
    await ada.get(f"api/classrooms/{CLASSROOM}/gradebook", 404)
    await ada.join()
    assert (await ada.get(f"api/classrooms/{CLASSROOM}/gradebook", 403))["code"] == "not-allowed"


@pytest.mark.parametrize(
    "header", [b"token", b"token nonsense", "token nön-ascii".encode("latin-1"), b"Basic x", b"token " + b"a" * 4000]
)
async def test_unknown_token_is_not_logged_in(live: RunningService, header: bytes) -> None:
    response = await live.anonymous().call("GET", "api/me", 401, headers={"Authorization": header})
    assert response.json()["code"] == "not-logged-in"


async def test_revoked_token_stops_working_when_the_cache_expires(live: RunningService, hub: BareHub) -> None:
    ada = live.student("ada")
    await ada.get("api/me")
    admin_headers = {"Authorization": f"token {hub.admin_token}"}
    with httpx.Client(base_url=f"{hub.address}/hub/api/users/ada", headers=admin_headers) as client:
        for token in client.get("/tokens").json()["api_tokens"]:
            client.delete(f"/tokens/{token['id']}")
    now = live.service.hub._clock()
    live.service.hub._clock = lambda: now + 61
    await ada.get("api/me", 401)


async def test_unreachable_hub_is_reported_as_unavailable(settings: Settings, hub: BareHub) -> None:
    async with running_service(settings, replace(hub, address="http://127.0.0.1:9")) as live:
        client = live.anonymous()
        client.token = "some-token"
        assert (await client.get("api/me", 503))["code"] == "unavailable"
