"""A route as data: its address, its handler, and for each method what it does, asks, takes and answers.

The application, the rights and the OpenAPI document all come from the same table, so that they cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pmh_jupyter.service.permissions import AccessRule
from pmh_jupyter.wire.base import WireModel

if TYPE_CHECKING:
    from pmh_jupyter.service.handler import ApiHandler

_SLUG_PATTERN = "[a-z0-9][a-z0-9-]{0,99}"
_UUID_PATTERN = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PARAMETER_PATTERNS: Mapping[str, str] = {
    "classroom": _SLUG_PATTERN,
    "lesson": _SLUG_PATTERN,
    "course": _SLUG_PATTERN,
    "person": _UUID_PATTERN,
    "id": _UUID_PATTERN,
}
"""What can stand in an address, by name: the pattern that it must match in full."""


@dataclass(frozen=True)
class QueryParameter:
    """One value that may stand in the query."""

    name: str
    description: str
    schema: Mapping[str, object]


@dataclass(frozen=True)
class Operation:
    """One method of one route.

    `reply` None: no body, or one that is no JSON (`media`). `dear`: it costs a
    grading or a release and has a rate limit of its own. `needs_person`: a service of the Hub, which is nobody, may not call it.
    """

    summary: str
    access_rule: AccessRule | None
    reply_model: type[WireModel] | None = None
    request_model: type[WireModel] | None = None
    status: int = 200
    media_type: str = "application/json"
    query_parameters: tuple[QueryParameter, ...] = ()
    is_expensive: bool = False
    needs_person: bool = True
    error_statuses: tuple[int, ...] = ()


@dataclass(frozen=True)
class Route:
    """An address below `api/` and its operations by method. Raises at once for a parameter that nobody knows."""

    path: str
    handler: type[ApiHandler]
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
        """The address as a regular expression with named groups."""
        return path_regex(self.path)


def path_regex(path: str) -> str:
    """An address with `{parameters}` as a regular expression with named groups; raises KeyError for one that nobody knows."""
    literals = re.split(r"{\w+}", path)
    names = re.findall(r"{(\w+)}", path)
    groups = [*(f"(?P<{name}>{PARAMETER_PATTERNS[name]})" for name in names), ""]
    return "".join(re.escape(text) + group for text, group in zip(literals, groups, strict=True))
