"""The tables of routes in docs/architecture.md and docs/reference/api.md list exactly the routes of the code."""

from __future__ import annotations

import inspect
import re

from pmh_jupyter.server_extension import event_stream_handler, lesson_handlers, outbox_handlers, proxy_handlers
from pmh_jupyter.server_extension.route_patterns import SLUG_GROUP, UUID_GROUP
from pmh_jupyter.service.api import ROUTES
from tests.support.repository import ROOT

Operations = set[tuple[str, str]]
METHODS = ("get", "post", "put", "delete")


def _section(page: str, title: str) -> str:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, title
    return section[1]


def _operations_in_architecture(title: str) -> Operations:
    rows = re.findall(r"^\| `([^`]+)` \| ([A-Z]+) \|", _section("architecture.md", title), re.MULTILINE)
    return {(method, path) for path, method in rows}


def _operations_in_reference(title: str) -> Operations:
    return set(re.findall(r"^\| `([A-Z]+) ([^`]+)` \|", _section("reference/api.md", title), re.MULTILINE))


def _service_operations() -> Operations:
    return {(method, route.path) for route in ROUTES for method in route.operations}


def _extension_operations() -> Operations:
    """The operations of the server extension's handlers, with the path parameters named as in the documentation."""
    operations: Operations = set()
    for pattern, handler in [
        *proxy_handlers.ROUTES,
        *lesson_handlers.ROUTES,
        *event_stream_handler.ROUTES,
        *outbox_handlers.ROUTES,
    ]:
        path = pattern.removeprefix("/pmh/api/").replace(UUID_GROUP, "{id}")
        for name in ("{classroom}", "{lesson}"):
            path = path.replace(SLUG_GROUP, name, 1)
        operations |= {(name.upper(), path) for name in METHODS if _defines(handler, name)}
    return operations


def _defines(handler: type, method: str) -> bool:
    """True if a class of ours defines the method. Tornado's own method responds with 405."""
    return inspect.getmodule(inspect.unwrap(getattr(handler, method))).__name__.startswith("pmh_jupyter.")  # type: ignore[union-attr]


def test_architecture_lists_the_service_routes() -> None:
    assert _operations_in_architecture("The service's API") == _service_operations()


def test_architecture_lists_the_server_extension_routes() -> None:
    assert _operations_in_architecture("The server extension's API") == _extension_operations()


def test_reference_lists_the_routes_of_service_and_server_extension() -> None:
    assert _operations_in_reference("The service's operations") == _service_operations()
    assert _operations_in_reference("The server extension") == _extension_operations()


def test_architecture_lists_the_scope_of_each_route() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` \| ([A-Z]+) \| ([^|]+) \|", _section("architecture.md", "The service's API"), re.MULTILINE
    )
    documented_scopes = {(method, path): scope for path, method, scope in rows}
    for route in ROUTES:
        for method, operation in route.operations.items():
            rule = operation.access_rule
            scope = rule.scope.value.removeprefix("custom:pmh:") if rule else "none"
            assert scope in documented_scopes[method, route.path], route.path
