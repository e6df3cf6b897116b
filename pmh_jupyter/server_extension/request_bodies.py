"""Parses the bodies of the panel's requests."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from pmh_jupyter.wire.base import WireModel
from pmh_jupyter.wire.errors import make_invalid_request_error

MessageT = TypeVar("MessageT", bound=WireModel)


def parse_body(model: type[MessageT], body: bytes) -> MessageT:
    """Parse a request body. Raises BadInput with a problem for each invalid field."""
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise make_invalid_request_error(error) from error
