"""Parses the bodies of the panel's requests."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from pmh_jupyter.errors import BadInput, Problem
from pmh_jupyter.wire.base import WireModel

MAX_PROBLEMS = 20
MessageT = TypeVar("MessageT", bound=WireModel)


def parse_body(model: type[MessageT], body: bytes) -> MessageT:
    """Parse a request body. Raises BadInput with one problem for each invalid field, at most MAX_PROBLEMS."""
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        validation_errors = error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS]
        problems = tuple(
            Problem(
                "request", f"{'.'.join(map(str, detail['loc'])) or 'body'}: {detail['msg']}.", "See the API reference."
            )
            for detail in validation_errors
        )
        raise BadInput("The request does not have the expected format.", problems=problems) from error
