"""A grading as JSON, with everything that it holds."""

from __future__ import annotations

from pydantic import TypeAdapter

from pmh_jupyter.domain.verdict import Grading

_GRADING_ADAPTER = TypeAdapter(Grading)


def serialize_grading(grading: Grading) -> bytes:
    """Serialize a grading, flags included."""
    return _GRADING_ADAPTER.dump_json(grading)
