"""Every route: for the owner only, authorised, in one error shape; and what is handed on arrives word for word."""

from __future__ import annotations

import inspect
import logging
import re
from pathlib import Path
from uuid import uuid4

import pytest
from jupyter_server.auth import AllowAllAuthorizer
from tornado.web import RequestHandler

from pmh_jupyter.server_extension import (
    PmhExtension,
    event_stream_handler,
    lesson_handlers,
    outbox_handlers,
    proxy_handlers,
)
from pmh_jupyter.server_extension.route_patterns import SLUG_GROUP, UUID_GROUP
from pmh_jupyter.wire.base import ErrorReply
from tests.support.lab.server import Lab
from tests.support.service.small_service import SmallService

ROUTES = [
    *proxy_handlers.routes,
    *lesson_handlers.routes,
    *event_stream_handler.routes,
    *outbox_handlers.routes,
    *proxy_handlers.not_found_routes,
]
METHODS = ("get", "post", "put", "patch", "delete", "head")


def every_route() -> list[tuple[str, str]]:
    """Each method of each route, with an address that matches it."""
    found = []
    for pattern, handler in ROUTES:
        address = pattern.replace(SLUG_GROUP, "physics-1").replace(UUID_GROUP, str(uuid4())).replace(".*", "nowhere")
        assert re.fullmatch(pattern, address)
        for method in METHODS:
            if getattr(handler, method) is not RequestHandler._unimplemented_method:
                found.append((method.upper(), address.removeprefix("/pmh/api/")))
    return found


EVERY_ROUTE = every_route()


def test_the_list_of_routes_is_the_documented_one() -> None:
    assert len(EVERY_ROUTE) == 15  # 13 documented, and two methods for what does not exist


@pytest.mark.parametrize(("method", "path"), EVERY_ROUTE)
@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("", 401, "not-logged-in"),
        ("unknown-token", 401, "not-logged-in"),
        ("ben-token", 403, "not-allowed"),
        ("service-token", 403, "not-allowed"),
    ],
)
async def test_nobody_but_the_owner_is_answered(
    lab: Lab, service: SmallService, method: str, path: str, token: str, status: int, code: str
) -> None:
    reply = await lab.fetch(method, path, {} if method == "POST" else None, token=token)

    assert (reply.status, reply.data["code"]) == (status, code)
    assert service.requests == [], "nothing is asked of the service as the owner"


@pytest.mark.parametrize(("method", "path"), EVERY_ROUTE)
async def test_an_operator_s_authorizer_has_its_say(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    asked: list[tuple[str, str]] = []

    def refuse(self: object, handler: object, user: object, action: str, resource: str) -> bool:
        asked.append((action, resource))
        return False

    monkeypatch.setattr(AllowAllAuthorizer, "is_authorized", refuse)

    reply = await lab.fetch(method, path, {} if method == "POST" else None)

    assert (reply.status, reply.data["code"]) == (403, "not-allowed")
    assert asked == [("read" if method == "GET" else "write", "pmh")]


@pytest.mark.parametrize("handler", [handler for _, handler in ROUTES])
def test_each_method_is_decorated_in_the_leaf_class(handler: type[RequestHandler]) -> None:
    """`@authorized` keeps the first handler's resource and action, so a shared method would mix them up."""
    for method in METHODS:
        function = getattr(handler, method)
        if function is not RequestHandler._unimplemented_method:
            assert method in vars(handler)
            assert inspect.unwrap(function) is not function


async def test_without_a_hub_it_says_so(service: SmallService, tmp_path: Path) -> None:
    lab = await Lab(tmp_path, tmp_path / "records", service_url="", owner="").start()
    try:
        assert (await lab.get("status")).data["is_reachable"] is False
        for method, path in EVERY_ROUTE:
            if path not in ("status", "nowhere"):
                reply = await lab.fetch(method, path, {} if method == "POST" else None)
                assert (reply.status, reply.data["code"]) == (503, "not-connected"), path
        assert not (tmp_path / "records").exists(), "a Jupyter server without a hub is left as it was"
    finally:
        await lab.stop()


async def test_what_does_not_exist_is_not_found(lab: Lab) -> None:
    for path in ("nowhere", "classrooms/..%2f/outline", "outbox/not-an-id"):
        reply = await lab.get(path)
        assert (reply.status, reply.data["code"]) == (404, "not-found")
    assert (await lab.fetch("DELETE", "me")).status == 405


@pytest.mark.parametrize("path", ["me", "classrooms/physics-1/outline"])
async def test_a_get_is_handed_on_with_its_query(lab: Lab, service: SmallService, path: str) -> None:
    reply = await lab.get(f"{path}?lesson=values&x=1")

    assert reply.data == {"path": f"/services/pmh/api/{path}", "query": "lesson=values&x=1"}
    assert service.requests[-1].request_id == reply.headers["X-Request-Id"]


async def test_work_is_handed_on(lab: Lab, service: SmallService, lesson: dict[str, bytes]) -> None:
    await lab.post("classrooms/physics-1/lessons/values/open")
    id = str(uuid4())
    await lab.post("classrooms/physics-1/lessons/values/submissions", {"id": id})

    one = await lab.get(f"submissions/{id}")
    assert one.data["receipt"]["submission_id"] == id
    assert (await lab.get("classrooms/physics-1/submissions?lesson=values")).data == {"submissions": [one.data]}


async def test_join_is_handed_on_once(lab: Lab, service: SmallService) -> None:
    assert (await lab.post("join", {"join_code": "ABCD-1234"})).data == {"slug": "physics-1"}
    service.hang_up_after("join")
    assert (await lab.post("join", {"join_code": "EFGH-5678"})).data["code"] == "unavailable"
    assert service.joined == ["ABCD-1234", "EFGH-5678"], "what writes is not asked for twice"


async def test_a_failure_of_the_service_is_handed_on_unchanged(lab: Lab, service: SmallService) -> None:
    said = ErrorReply(code="too-many-requests", message="Too fast.", advice="Wait.", request_id="theirs")
    service.fail("me", 429, said, Retry_After="7")

    reply = await lab.get("me")

    assert reply.status == 429
    assert ErrorReply.model_validate(reply.data) == said
    assert reply.headers["Retry-After"] == "7"


async def test_a_get_is_asked_again_once_when_the_network_fails(lab: Lab, service: SmallService) -> None:
    service.hang_up_after("outline")
    service.hang_up_after("submissions", times=2)

    assert (await lab.get("classrooms/physics-1/outline")).status == 200
    assert (await lab.get("classrooms/physics-1/submissions")).data["code"] == "unavailable"
    assert len([seen for seen in service.requests if seen.path.endswith("submissions")]) == 2


async def test_something_else_that_answers_is_not_taken_for_the_service(lab: Lab, service: SmallService) -> None:
    service.fail("me", 502, times=2)

    reply = await lab.get("me")

    assert (reply.status, reply.data["code"]) == (503, "unavailable")
    assert "502" in reply.data["message"] and "html" not in reply.data["message"]


async def test_status_tells_whether_the_service_answers(lab: Lab, service: SmallService) -> None:
    up = (await lab.get("status")).data
    await service.kill()
    down = (await lab.get("status")).data

    assert up == {"version": "0.1.0", "name": "ada", "is_reachable": True, "outbox_size": 0}
    assert down == {**up, "is_reachable": False}
    assert (await lab.get("me")).data["code"] == "unavailable"


async def test_the_log_names_the_request_and_never_the_token(
    lab: Lab, service: SmallService, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        good = await lab.get("me")
        service.fail("me", 403, ErrorReply(code="not-allowed", message="No.", advice="Ask."))
        bad = await lab.get("me")

    ours = [record.getMessage() for record in caplog.records if record.getMessage().startswith("pmh:")]
    for reply in (good, bad):
        assert any(reply.headers["X-Request-Id"] in line for line in ours)
    assert any("403 not-allowed: No." in line for line in ours)
    assert "the-owner's-token" not in caplog.text and "ada-token" not in caplog.text


async def test_reading_by_the_panel_does_not_keep_an_idle_server_alive(lab: Lab) -> None:
    for path in ("status", "me", "outbox", "classrooms/physics-1/outline"):
        await lab.get(path)
    assert "api_last_activity" not in lab.app.web_app.settings
    await lab.post("outbox/send")
    assert "api_last_activity" in lab.app.web_app.settings


def test_the_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert PmhExtension().is_connected is False
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    assert PmhExtension().is_connected is False, "a hub, but not one of ours"
    monkeypatch.setenv("PMH_SERVICE_URL", "http://127.0.0.1:10101/services/pmh/")
    extension = PmhExtension()
    assert extension.is_connected is True
    assert extension.service_url == "http://127.0.0.1:10101/services/pmh"
    assert extension.state_dir == str(tmp_path / ".pmh")
