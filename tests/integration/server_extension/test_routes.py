"""All routes: owner only, authorized, one format of errors; replies of the service are passed on unchanged."""

from __future__ import annotations

import inspect
import logging
import re
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from jupyter_server.auth import AllowAllAuthorizer
from tornado.web import RequestHandler

from pmh_jupyter.server_extension import (
    event_stream_handler,
    lesson_handlers,
    outbox_handlers,
    proxy_handlers,
)
from pmh_jupyter.server_extension.app import PmhExtension
from pmh_jupyter.server_extension.route_patterns import SLUG_GROUP, UUID_GROUP
from pmh_jupyter.wire.base import ErrorReply
from tests.support.lab.server import Lab
from tests.support.service.small_service import SmallService

ROUTES = [
    *proxy_handlers.ROUTES,
    *lesson_handlers.ROUTES,
    *event_stream_handler.ROUTES,
    *outbox_handlers.ROUTES,
    *proxy_handlers.NOT_FOUND_ROUTES,
]
METHODS = ("get", "post", "put", "patch", "delete", "head")


def list_operations() -> list[tuple[str, str]]:
    """Each method of each route, with an address that matches it."""
    operations = []
    for pattern, handler in ROUTES:
        address = (
            pattern.replace(SLUG_GROUP, "physics-1").replace(UUID_GROUP, str(UUID(int=1))).replace(".*", "nowhere")
        )
        assert re.fullmatch(pattern, address)
        for method in METHODS:
            if getattr(handler, method) is not RequestHandler._unimplemented_method:
                operations.append((method.upper(), address.removeprefix("/pmh/api/")))
    return operations


OPERATIONS = list_operations()


def test_number_of_operations_is_the_documented_one() -> None:
    assert len(OPERATIONS) == 15  # 13 documented ones, and GET and POST of unknown addresses


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("", 401, "not-logged-in"),
        ("unknown-token", 401, "not-logged-in"),
        ("ben-token", 403, "not-allowed"),
        ("service-token", 403, "not-allowed"),
    ],
)
async def test_everybody_but_the_owner_is_refused(
    lab: Lab, service: SmallService, method: str, path: str, token: str, status: int, code: str
) -> None:
    reply = await lab.fetch(method, path, {} if method == "POST" else None, token=token)

    assert (reply.status, reply.data["code"]) == (status, code)
    assert service.requests == [], "nothing is requested from the service in the owner's name"


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_authorizer_of_the_operator_can_refuse_every_operation(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    authorizations: list[tuple[str, str]] = []

    def refuse(self: object, handler: object, user: object, action: str, resource: str) -> bool:
        authorizations.append((action, resource))
        return False

    monkeypatch.setattr(AllowAllAuthorizer, "is_authorized", refuse)

    reply = await lab.fetch(method, path, {} if method == "POST" else None)

    assert (reply.status, reply.data["code"]) == (403, "not-allowed")
    assert authorizations == [("read" if method == "GET" else "write", "pmh")]


@pytest.mark.parametrize("handler", [handler for _, handler in ROUTES])
def test_every_method_is_decorated_in_its_leaf_class(handler: type[RequestHandler]) -> None:
    """`@authorized` remembers resource and action of the first handler, so a shared method would mix them up."""
    for method in METHODS:
        function = getattr(handler, method)
        if function is not RequestHandler._unimplemented_method:
            assert method in vars(handler)
            assert inspect.unwrap(function) is not function


async def test_server_without_a_hub_replies_that_it_is_not_connected(service: SmallService, tmp_path: Path) -> None:
    lab = await Lab(tmp_path, tmp_path / "records", service_url="", owner="").start()
    try:
        assert (await lab.get("status")).status == 200
        for method, path in OPERATIONS:
            if path not in ("status", "nowhere"):
                reply = await lab.fetch(method, path, {} if method == "POST" else None)
                assert (reply.status, reply.data["code"]) == (503, "not-connected"), path
        assert not (tmp_path / "records").exists(), "nothing is written without a hub"
    finally:
        await lab.stop()


async def test_unknown_address_is_not_found(lab: Lab) -> None:
    for path in ("nowhere", "classrooms/..%2f/outline", "outbox/not-an-id"):
        reply = await lab.get(path)
        assert (reply.status, reply.data["code"]) == (404, "not-found")
    assert (await lab.fetch("DELETE", "me")).status == 405


@pytest.mark.parametrize("path", ["me", "classrooms/physics-1/outline"])
async def test_get_is_passed_on_with_its_query(lab: Lab, service: SmallService, path: str) -> None:
    reply = await lab.get(f"{path}?lesson=values&x=1")

    assert reply.data == {"path": f"/services/pmh/api/{path}", "query": "lesson=values&x=1"}
    assert service.requests[-1].request_id == reply.headers["X-Request-Id"]


async def test_submissions_are_passed_on(lab: Lab, service: SmallService, lesson: dict[str, bytes]) -> None:
    await lab.post("classrooms/physics-1/lessons/values/open")
    submission_id = str(uuid4())
    await lab.post("classrooms/physics-1/lessons/values/submissions", {"id": submission_id})

    reply = await lab.get(f"submissions/{submission_id}")
    assert reply.data["receipt"]["submission_id"] == submission_id
    assert (await lab.get("classrooms/physics-1/submissions?lesson=values")).data == {"submissions": [reply.data]}


async def test_join_is_passed_on_and_never_repeated(lab: Lab, service: SmallService) -> None:
    assert (await lab.post("join", {"join_code": "ABCD-1234"})).data == {"slug": "physics-1"}
    service.hang_up_after("join")
    assert (await lab.post("join", {"join_code": "EFGH-5678"})).data["code"] == "unavailable"
    assert service.joined == ["ABCD-1234", "EFGH-5678"]


async def test_error_of_the_service_is_passed_on_unchanged(lab: Lab, service: SmallService) -> None:
    error_reply = ErrorReply(code="too-many-requests", message="Too fast.", advice="Wait.", request_id="theirs")
    service.fail("me", 429, error_reply, Retry_After="7")

    reply = await lab.get("me")

    assert reply.status == 429
    assert ErrorReply.model_validate(reply.data) == error_reply
    assert reply.headers["Retry-After"] == "7"


async def test_get_is_repeated_once_when_the_network_fails(lab: Lab, service: SmallService) -> None:
    service.hang_up_after("outline")
    service.hang_up_after("submissions", times=2)

    assert (await lab.get("classrooms/physics-1/outline")).status == 200
    assert (await lab.get("classrooms/physics-1/submissions")).data["code"] == "unavailable"
    assert len([request for request in service.requests if request.path.endswith("submissions")]) == 2


async def test_error_page_of_a_proxy_is_reported_as_unavailable(lab: Lab, service: SmallService) -> None:
    service.fail("me", 502, times=2)

    reply = await lab.get("me")

    assert (reply.status, reply.data["code"]) == (503, "unavailable")
    assert "502" in reply.data["message"] and "html" not in reply.data["message"]


async def test_status_is_answered_without_the_service(lab: Lab, service: SmallService) -> None:
    await service.kill()
    assert (await lab.get("me")).data["code"] == "unavailable"
    assert (await lab.get("status")).data == {"version": "0.1.0"}
    assert service.requests == []


async def test_log_has_the_request_id_and_never_a_token(
    lab: Lab, service: SmallService, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        good = await lab.get("me")
        service.fail("me", 403, ErrorReply(code="not-allowed", message="No.", advice="Ask."))
        bad = await lab.get("me")

    our_lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("pmh:")]
    for reply in (good, bad):
        assert any(reply.headers["X-Request-Id"] in line for line in our_lines)
    assert any("403 not-allowed: No." in line for line in our_lines)
    assert "the-owner's-token" not in caplog.text and "ada-token" not in caplog.text


async def test_only_actions_of_the_user_count_as_activity(lab: Lab) -> None:
    for path in ("status", "me", "outbox", "classrooms/physics-1/outline"):
        await lab.get(path)
    assert "api_last_activity" not in lab.app.web_app.settings
    await lab.post("outbox/send")
    assert "api_last_activity" in lab.app.web_app.settings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert PmhExtension().is_connected is False
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    assert PmhExtension().is_connected is False, "a hub without our service"
    monkeypatch.setenv("PMH_SERVICE_URL", "http://127.0.0.1:10101/services/pmh/")
    extension = PmhExtension()
    assert extension.is_connected is True
    assert extension.service_url == "http://127.0.0.1:10101/services/pmh"
    assert extension.state_dir == str(tmp_path / ".pmh")
