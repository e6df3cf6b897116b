"""Routes as data: path, handler, and for each HTTP method its access rule, models and statuses.

The application, the permission checks and the OpenAPI document use the same table, so they cannot contradict each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tornado.web import RequestHandler

from pmh_jupyter.domain.slugs import MAX_SLUG_LENGTH, SLUG_PATTERN
from pmh_jupyter.domain.uuids import UUID_PATTERN
from pmh_jupyter.service.permissions import AccessRule
from pmh_jupyter.wire.base import WireModel

# The lookahead limits the length.
_SLUG_PATTERN = f"(?![a-z0-9-]{{{MAX_SLUG_LENGTH + 1}}}){SLUG_PATTERN}"
# By name of a path parameter: the pattern that its value must match completely.
PARAMETER_PATTERNS: Mapping[str, str] = {
    "classroom": _SLUG_PATTERN,
    "lesson": _SLUG_PATTERN,
    "course": _SLUG_PATTERN,
    "person": UUID_PATTERN,
    "id": UUID_PATTERN,
}


@dataclass(frozen=True)
class QueryParameter:
    """An optional parameter of the query string. `schema` is its JSON schema."""

    name: str
    description: str
    schema: Mapping[str, object]


@dataclass(frozen=True)
class Operation:
    """One HTTP method of a route.

    reply_model: None for a response without a body, or with one that is not JSON (see `media_type`).
    status: HTTP status of success.
    has_strict_rate_limit: the operation runs a grading or a release, or redeems a join code, which could otherwise be guessed.
    needs_person: False also admits services of the Hub, which are not people.
    error_statuses: statuses of errors besides those that every operation can have.
    """

    summary: str
    access_rule: AccessRule | None
    reply_model: type[WireModel] | None = None
    request_model: type[WireModel] | None = None
    status: int = 200
    media_type: str = "application/json"
    query_parameters: tuple[QueryParameter, ...] = ()
    has_strict_rate_limit: bool = False
    needs_person: bool = True
    error_statuses: tuple[int, ...] = ()


@dataclass(frozen=True)
class Route:
    """A path below `api/` and its operations by method. Raises ValueError for an unknown path parameter or a missing method."""

    path: str
    handler: type[RequestHandler]
    operations: Mapping[str, Operation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown_parameters = set(self.parameters) - set(PARAMETER_PATTERNS)
        if unknown_parameters or not self.operations:
            raise ValueError(f"{self.path}: unknown parameters {sorted(unknown_parameters)} or no operation")
        for method in self.operations:
            if method.lower() not in vars(self.handler):
                raise ValueError(f"{self.path}: {self.handler.__name__} has no {method}")

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def regex(self) -> str:
        """The path as a regular expression with named groups."""
        return make_path_pattern(self.path)


def make_path_pattern(path: str) -> str:
    """Convert a path with `{parameters}` to a regular expression with named groups. Raises KeyError for an unknown parameter."""
    literals = re.split(r"{\w+}", path)
    names = re.findall(r"{(\w+)}", path)
    groups = [*(f"(?P<{name}>{PARAMETER_PATTERNS[name]})" for name in names), ""]
    return "".join(re.escape(text) + group for text, group in zip(literals, groups, strict=True))
