"""No route forgets its rights, and what is unknown stops the service from starting."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.errors import NotAllowed
from pmh_jupyter.service.api import ROUTES
from pmh_jupyter.service.api.people import MeHandler
from pmh_jupyter.service.hub_client import Caller
from pmh_jupyter.service.permissions import AccessRule, Scope
from pmh_jupyter.service.routes import Operation, Route, path_regex

OPERATIONS = [(route, method, told) for route in ROUTES for method, told in route.operations.items()]
CONTRACT = Path(__file__).parents[3] / "docs" / "architecture.md"
# What each word of the contract's column "scope" means: the scope, and whether a browser session will do without it.
WORDS: dict[str, AccessRule | None] = {
    "learn or session": AccessRule(Scope.LEARN, allows_session=True),
    "teach or session": AccessRule(Scope.TEACH, allows_session=True),
    "author": AccessRule(Scope.AUTHOR),
    "enrol": AccessRule(Scope.ENROL),
    "none": None,
}


def contract() -> dict[tuple[str, str], str]:
    """(route, method) to scope, from the table in docs/architecture.md."""
    table = CONTRACT.read_text().partition("## The service's API")[2].partition("## The server extension's API")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| ([^|(]+)", table, re.MULTILINE)
    return {(path, method): scope.strip() for path, method, scope in rows}


def test_routes_and_scopes_are_those_of_the_contract() -> None:
    told = contract()
    assert {(route.path, method) for route, method, _ in OPERATIONS} == set(told)
    for route, method, operation in OPERATIONS:
        right = operation.access_rule and replace(operation.access_rule, permission=None)
        assert right == WORDS[told[route.path, method]], route.path


@pytest.mark.parametrize(("route", "method", "operation"), OPERATIONS)
def test_a_route_of_a_classroom_asks_for_a_permission(route: Route, method: str, operation: Operation) -> None:
    if "classroom" in route.parameters:
        assert operation.access_rule and operation.access_rule.permission
    if operation.access_rule is None:
        assert route.path == "openapi.json"


def test_a_method_without_a_right_cannot_be_reached() -> None:
    for route in ROUTES:
        verbs = {name.upper() for name in vars(route.handler)} & {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}
        assert verbs == set(route.operations), route.path


def test_what_is_unknown_is_refused() -> None:
    with pytest.raises(ValueError):
        AccessRule("custom:pmh:everything")  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        AccessRule(Scope.LEARN, permission="fly")  # type: ignore[arg-type]
    operation = Operation("x", AccessRule(Scope.LEARN))
    with pytest.raises(ValueError, match="unknown parameters"):
        Route("things/{thing}", MeHandler, {"GET": operation})
    with pytest.raises(ValueError, match="no operation"):
        Route("things", MeHandler, {})
    with pytest.raises(ValueError, match="has no POST"):
        Route("me", MeHandler, {"POST": operation})


def test_a_session_does_only_where_it_is_said() -> None:
    session = Caller("ada", "user", frozenset(), has_session=True)
    token = Caller("ada", "user", frozenset({Scope.LEARN}))
    AccessRule(Scope.TEACH, allows_session=True).require_scope(session)
    AccessRule(Scope.LEARN).require_scope(token)
    for right, caller in ((AccessRule(Scope.AUTHOR), session), (AccessRule(Scope.TEACH, allows_session=True), token)):
        with pytest.raises(NotAllowed, match=right.scope):
            right.require_scope(caller)


@pytest.mark.parametrize("slug", ["demo", "a", "room-2", "a" * 100])
def test_addresses_take_slugs(slug: str) -> None:
    assert re.fullmatch(path_regex("classrooms/{classroom}/outline"), f"classrooms/{slug}/outline")


@pytest.mark.parametrize("slug", ["", "..", "Demo", "a/b", "a" * 101, "-a", "a\n", "%2e"])
def test_addresses_take_nothing_else(slug: str) -> None:
    assert not re.fullmatch(path_regex("classrooms/{classroom}/outline"), f"classrooms/{slug}/outline")


def test_no_permission_is_asked_that_nobody_holds() -> None:
    asked = {operation.access_rule.permission for _, _, operation in OPERATIONS if operation.access_rule}
    assert asked - {None} <= set(Permission)
