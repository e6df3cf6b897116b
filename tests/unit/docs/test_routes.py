"""The tables of routes in the architecture and in the reference are those of the code, in both directions."""

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
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def _in_architecture(title: str) -> Operations:
    rows = re.findall(r"^\| `([^`]+)` \| ([A-Z]+) \|", _section("architecture.md", title), re.MULTILINE)
    return {(method, path) for path, method in rows}


def _in_reference(title: str) -> Operations:
    return set(re.findall(r"^\| `([A-Z]+) ([^`]+)` \|", _section("reference/api.md", title), re.MULTILINE))


def _of_service() -> Operations:
    return {(method, route.path) for route in ROUTES for method in route.operations}


def _of_extension() -> Operations:
    """From the handlers: a pattern's groups are called as the documentation calls them."""
    found: Operations = set()
    for pattern, handler in [
        *proxy_handlers.routes,
        *lesson_handlers.routes,
        *event_stream_handler.routes,
        *outbox_handlers.routes,
    ]:
        path = pattern.removeprefix("/pmh/api/").replace(UUID_GROUP, "{id}")
        for name in ("{classroom}", "{lesson}"):
            path = path.replace(SLUG_GROUP, name, 1)
        found |= {(name.upper(), path) for name in METHODS if _defines(handler, name)}
    return found


def _defines(handler: type, method: str) -> bool:
    """True where a class of ours has the method; tornado's own answers 405."""
    return inspect.getmodule(inspect.unwrap(getattr(handler, method))).__name__.startswith("pmh_jupyter.")  # type: ignore[union-attr]


def test_the_architecture_has_the_services_routes() -> None:
    assert _in_architecture("The service's API") == _of_service()


def test_the_architecture_has_the_extensions_routes() -> None:
    assert _in_architecture("The server extension's API") == _of_extension()


def test_the_reference_has_both() -> None:
    assert _in_reference("The service's operations") == _of_service()
    assert _in_reference("The server extension") == _of_extension()


def test_the_architecture_says_which_scope() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` \| ([A-Z]+) \| ([^|]+) \|", _section("architecture.md", "The service's API"), re.MULTILINE
    )
    documented = {(method, path): scope for path, method, scope in rows}
    for route in ROUTES:
        for method, operation in route.operations.items():
            word = operation.access_rule.scope.value.removeprefix("custom:pmh:") if operation.access_rule else "none"
            assert word in documented[method, route.path], route.path
