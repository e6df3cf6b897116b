"""Every operation has the access rule that the documentation names, and unknown rules stop the service from starting."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from pmh_jupyter.domain.people import Classroom, Membership, Person
from pmh_jupyter.domain.roles import Permission, Role
from pmh_jupyter.errors import NotAllowed
from pmh_jupyter.service.api import ROUTES
from pmh_jupyter.service.api.people import MeHandler
from pmh_jupyter.service.hub_client import Caller
from pmh_jupyter.service.permissions import AccessRule, Scope, require_course_release, require_releaser
from pmh_jupyter.service.routes import Operation, Route, make_path_pattern

OPERATIONS = [(route, method, operation) for route in ROUTES for method, operation in route.operations.items()]
ARCHITECTURE_PAGE = Path(__file__).parents[3] / "docs" / "architecture.md"
# The access rule that each text of the column "scope" stands for.
RULES_BY_TEXT: dict[str, AccessRule | None] = {
    "learn or session": AccessRule(Scope.LEARN, allows_session=True),
    "teach or session": AccessRule(Scope.TEACH, allows_session=True),
    "author": AccessRule(Scope.AUTHOR),
    "enrol": AccessRule(Scope.ENROL),
    "none": None,
}


def documented_scopes() -> dict[tuple[str, str], str]:
    """By path and method: the text of the column "scope" in docs/architecture.md."""
    page = ARCHITECTURE_PAGE.read_text()
    table = page.partition("## The service's API")[2].partition("## The server extension's API")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| ([^|(]+)", table, re.MULTILINE)
    return {(path, method): scope.strip() for path, method, scope in rows}


def test_routes_and_access_rules_match_the_documentation() -> None:
    scopes = documented_scopes()
    assert {(route.path, method) for route, method, _ in OPERATIONS} == set(scopes)
    for route, method, operation in OPERATIONS:
        rule = operation.access_rule and replace(operation.access_rule, permission=None)
        assert rule == RULES_BY_TEXT[scopes[route.path, method]], route.path


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(operation, id=f"{method} {route.path}")
        for route, method, operation in OPERATIONS
        if "classroom" in route.parameters
    ],
)
def test_operation_of_a_classroom_requires_a_permission(operation: Operation) -> None:
    assert operation.access_rule and operation.access_rule.permission


def test_only_the_description_of_the_api_is_open_to_everybody() -> None:
    open_paths = [route.path for route, _, operation in OPERATIONS if operation.access_rule is None]
    assert open_paths == ["openapi.json"]


def test_handlers_have_no_methods_without_an_operation() -> None:
    for route in ROUTES:
        methods = {name.upper() for name in vars(route.handler)} & {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}
        assert methods == set(route.operations), route.path


def test_unknown_scopes_permissions_and_parameters_are_rejected() -> None:
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


def test_session_replaces_a_scope_only_where_allowed() -> None:
    session = Caller("ada", "user", frozenset(), has_session=True)
    token = Caller("ada", "user", frozenset({Scope.LEARN}))
    AccessRule(Scope.TEACH, allows_session=True).require_scope(session)
    AccessRule(Scope.LEARN).require_scope(token)
    for rule, caller in ((AccessRule(Scope.AUTHOR), session), (AccessRule(Scope.TEACH, allows_session=True), token)):
        with pytest.raises(NotAllowed, match=rule.scope) as error:
            rule.require_scope(caller)
        assert error.value.advice.startswith("Create a token with this scope on the hub's Token page")
        assert ("browser" in error.value.advice) == rule.allows_session


@pytest.mark.parametrize("slug", ["demo", "a", "section-2", "a" * 64])
def test_path_parameters_accept_slugs(slug: str) -> None:
    assert re.fullmatch(make_path_pattern("classrooms/{classroom}/outline"), f"classrooms/{slug}/outline")


@pytest.mark.parametrize("slug", ["", "..", "Demo", "a/b", "a" * 65, "-a", "a-", "a--b", "a\n", "%2e"])
def test_path_parameters_reject_everything_else(slug: str) -> None:
    assert not re.fullmatch(make_path_pattern("classrooms/{classroom}/outline"), f"classrooms/{slug}/outline")


def test_required_permissions_exist() -> None:
    required = {operation.access_rule.permission for _, _, operation in OPERATIONS if operation.access_rule}
    assert required - {None} <= set(Permission)


def make_membership(role: Role, classroom: str, course: str) -> Membership:
    return Membership(uuid4(), Person(uuid4(), "ada"), Classroom(uuid4(), classroom, "", "UTC", course, "", 1), role)


MEMBERSHIPS = (make_membership(Role.INSTRUCTOR, "a", "algebra"), make_membership(Role.ASSISTANT, "b", "biology"))


@pytest.mark.parametrize("memberships", [(), MEMBERSHIPS[1:]])
def test_only_an_instructor_releases(memberships: tuple[Membership, ...]) -> None:
    require_releaser(MEMBERSHIPS)
    with pytest.raises(NotAllowed, match="any classroom"):
        require_releaser(memberships)
    with pytest.raises(NotAllowed, match="any classroom"):
        require_course_release(memberships, "new", (), is_new_course=True)


def test_instructor_releases_new_courses_and_those_of_their_classrooms() -> None:
    require_course_release(MEMBERSHIPS, "algebra", ("a",), is_new_course=False)
    require_course_release(MEMBERSHIPS, "new", ("a",), is_new_course=True)
    with pytest.raises(NotAllowed, match="uses this course"):
        require_course_release(MEMBERSHIPS, "biology", (), is_new_course=False)


@pytest.mark.parametrize("classroom", ["b", "c"])
def test_course_is_adopted_only_by_classrooms_of_the_instructor(classroom: str) -> None:
    with pytest.raises(NotAllowed, match=f"the classroom '{classroom}'"):
        require_course_release(MEMBERSHIPS, "algebra", ("a", classroom), is_new_course=False)
