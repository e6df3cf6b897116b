"""The isolation of a release as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from pmh_jupyter.domain.isolation import ReleaseIsolation

_ADAPTER = TypeAdapter(ReleaseIsolation)


def dump_isolation(isolation: ReleaseIsolation) -> Any:
    """Return the isolation as a JSON value."""
    return _ADAPTER.dump_python(isolation, mode="json")


def load_isolation(value: Any) -> ReleaseIsolation | None:
    """Return the isolation of a JSON value; None if this version cannot read it."""
    try:
        return _ADAPTER.validate_python(value)
    except ValidationError:
        return None
