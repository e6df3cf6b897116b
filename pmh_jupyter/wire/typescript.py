"""The panel's side of the wire: TypeScript interfaces made from the pydantic models, so that the two cannot drift.

`python -m pmh_jupyter.wire.typescript` writes `labextension/src/wire.ts` of the checkout it is run in; with `--check` it only says
whether that file is current. Only what the panel and the server extension say to each other is written.
"""

from __future__ import annotations

import argparse
import sys
import types
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic.fields import FieldInfo

from pmh_jupyter.wire.base import ErrorReply, WireModel
from pmh_jupyter.wire.lab import (
    LabCheckRequest,
    LabStatus,
    LabSubmissionReply,
    LabSubmitRequest,
    OpenLessonReply,
    OpenLessonRequest,
    OutboxReply,
)
from pmh_jupyter.wire.outline import OutlineReply
from pmh_jupyter.wire.people import JoinRequest, MeReply
from pmh_jupyter.wire.submission import EventReply, SubmissionListReply

TARGET_PATH = Path("labextension/src/wire.ts")
ROOT_MODELS: tuple[type[WireModel], ...] = (
    ErrorReply,
    MeReply,
    JoinRequest,
    OutlineReply,
    SubmissionListReply,
    EventReply,
    LabStatus,
    OpenLessonRequest,
    OpenLessonReply,
    LabCheckRequest,
    LabSubmitRequest,
    LabSubmissionReply,
    OutboxReply,
)
HEADER = "// Made from pmh_jupyter/wire by `python -m pmh_jupyter.wire.typescript`; do not edit.\n"

# JSON has neither UUIDs nor times: both travel as strings, a time in ISO 8601 with its offset.
_SCALARS: dict[Any, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    UUID: "string",
    datetime: "string",
    type(None): "null",
}


def generate_typescript(roots: tuple[type[WireModel], ...] = ROOT_MODELS) -> str:
    """The text of wire.ts: every root and every message that one of them holds, in the order of first mention."""
    models: dict[str, type[WireModel]] = {}
    for root in roots:
        _collect(root, models)
    return HEADER + "".join("\n" + _format_interface(model) for model in models.values())


def _collect(model: type[WireModel], models: dict[str, type[WireModel]]) -> None:
    if model.__name__ in models:
        return
    for field in model.model_fields.values():
        for part in _walk_annotation(field.annotation):
            if isinstance(part, type) and issubclass(part, WireModel):
                _collect(part, models)
    models[model.__name__] = model


def _walk_annotation(annotation: Any) -> Iterator[Any]:
    yield annotation
    if get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _walk_annotation(argument)


def _format_interface(model: type[WireModel]) -> str:
    # A field with a default may be left out of what the panel sends; what it receives always has every field.
    is_request = model.__name__.endswith("Request")
    fields = "".join(_format_field(name, field, is_request) for name, field in model.model_fields.items())
    return f"{_format_comment(model.__doc__ or '', '')}export interface {model.__name__} {{\n{fields}}}\n"


def _format_field(name: str, field: FieldInfo, is_request: bool) -> str:
    optional_mark = "?" if is_request and not field.is_required() else ""
    return f"{_format_comment(field.description or '', '  ')}  readonly {name}{optional_mark}: {_typescript_type(field.annotation)};\n"


def _format_comment(text: str, indent: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines()]
    if not any(lines):
        return ""
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def _typescript_type(annotation: Any) -> str:
    """The TypeScript type of an annotation; raises TypeError for one that the wire has not used so far."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(f"'{value}'" for value in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(_typescript_type(argument) for argument in arguments))
    if origin in (tuple, list):
        return f"readonly {_element_type(arguments[0])}[]"
    if origin is dict:
        return f"Readonly<Record<string, {_typescript_type(arguments[1])}>>"
    if isinstance(annotation, type) and issubclass(annotation, WireModel):
        return annotation.__name__
    raise TypeError(f"No TypeScript type is known for {annotation!r}; teach it to {__name__}.")


def _element_type(annotation: Any) -> str:
    element = _typescript_type(annotation)
    return f"({element})" if " " in element else element


def main(arguments: list[str] | None = None) -> int:
    """Writes wire.ts, or with --check answers 1 when it is not current."""
    parser = argparse.ArgumentParser(prog="python -m pmh_jupyter.wire.typescript", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the file is current")
    parser.add_argument("--target", type=Path, default=TARGET_PATH)
    options = parser.parse_args(arguments)
    text = generate_typescript()
    if not options.check:
        options.target.write_text(text, encoding="utf-8")
        return 0
    if options.target.read_text(encoding="utf-8") == text:
        return 0
    print(f"{options.target} is not current: run python -m pmh_jupyter.wire.typescript", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
