"""A route as data: its address, its handler, and for each method what it does, asks, takes and answers.

The application, the rights and the OpenAPI document all come from the same table, so that they cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pmh_jupyter.service.rights import Right
from pmh_jupyter.wire.base import Message

if TYPE_CHECKING:
    from pmh_jupyter.service.handler import ApiHandler

_SLUG = "[a-z0-9][a-z0-9-]{0,99}"
_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PARAMETERS: Mapping[str, str] = {
    "classroom": _SLUG,
    "lesson": _SLUG,
    "course": _SLUG,
    "person": _UUID,
    "id": _UUID,
}
"""What can stand in an address, by name: the pattern that it must match in full."""


@dataclass(frozen=True)
class Query:
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
    right: Right | None
    reply: type[Message] | None = None
    request: type[Message] | None = None
    status: int = 200
    media: str = "application/json"
    query: tuple[Query, ...] = ()
    dear: bool = False
    needs_person: bool = True
    errors: tuple[int, ...] = ()


@dataclass(frozen=True)
class Route:
    """An address below `api/` and its operations by method. Raises at once for a parameter that nobody knows."""

    path: str
    handler: type[ApiHandler]
    operations: Mapping[str, Operation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = set(self.parameters) - set(PARAMETERS)
        if unknown or not self.operations:
            raise ValueError(f"{self.path}: unknown parameters {sorted(unknown)} or no operation")
        for method in self.operations:
            if method.lower() not in vars(self.handler):
                raise ValueError(f"{self.path}: {self.handler.__name__} has no {method}")

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def pattern(self) -> str:
        """The address as a regular expression with named groups."""
        return pattern_of(self.path)


def pattern_of(path: str) -> str:
    """An address with `{parameters}` as a regular expression with named groups; raises KeyError for one that nobody knows."""
    literal = re.split(r"{\w+}", path)
    names = re.findall(r"{(\w+)}", path)
    groups = [*(f"(?P<{name}>{PARAMETERS[name]})" for name in names), ""]
    return "".join(re.escape(text) + group for text, group in zip(literal, groups, strict=True))
