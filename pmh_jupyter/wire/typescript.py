"""Generates the panel's copies of Python definitions, so that the two cannot drift.

`python -m pmh_jupyter.wire.typescript` writes three files into `labextension/src` of the checkout that it is run in; with `--check` it
only reports which of them are out of date:

- `wire.ts`: an interface for each message that the panel and the server extension exchange;
- `feedbackTexts.ts` and `labels.ts`: see `pmh_jupyter.wire.typescript_texts`.
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
    LabSubmissionReply,
    LabSubmitRequest,
    OpenLessonReply,
    OpenLessonRequest,
    OutboxReply,
)
from pmh_jupyter.wire.outline import OutlineReply
from pmh_jupyter.wire.people import JoinRequest, MeReply
from pmh_jupyter.wire.submission import EventReply, SubmissionListReply, SubmissionReply
from pmh_jupyter.wire.typescript_texts import generate_feedback_texts, generate_labels, make_generated_header

TARGET_FOLDER = Path("labextension/src")
ROOT_MODELS: tuple[type[WireModel], ...] = (
    ErrorReply,
    MeReply,
    JoinRequest,
    OutlineReply,
    SubmissionReply,
    SubmissionListReply,
    EventReply,
    OpenLessonRequest,
    OpenLessonReply,
    LabCheckRequest,
    LabSubmitRequest,
    LabSubmissionReply,
    OutboxReply,
)

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
    """Return the text of wire.ts: every root and every message inside one, in the order of first mention."""
    models: dict[str, type[WireModel]] = {}
    for root in roots:
        _collect(root, models)
    return make_generated_header("pmh_jupyter/wire") + "".join(
        "\n" + _format_interface(model) for model in models.values()
    )


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
    # The panel may omit a field with a default from a request. A reply always has every field.
    is_request = model.__name__.endswith("Request")
    fields = "".join(_format_field(name, field, is_request) for name, field in model.model_fields.items())
    return f"{_format_comment(model.__doc__ or '', '')}export interface {model.__name__} {{\n{fields}}}\n"


def _format_field(name: str, field: FieldInfo, is_request: bool) -> str:
    optional_mark = "?" if is_request and not field.is_required() else ""
    return f"{_format_comment(field.description or '', '  ')}  readonly {name}{optional_mark}: {_to_typescript_type(field.annotation)};\n"


def _format_comment(text: str, indent: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines()]
    if not any(lines):
        return ""
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def _to_typescript_type(annotation: Any) -> str:
    """Return the TypeScript type of an annotation; raises TypeError for one that this generator does not know."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(f"'{value}'" for value in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(_to_typescript_type(argument) for argument in arguments))
    if origin in (tuple, list):
        return f"readonly {_find_element_type(arguments[0])}[]"
    if origin is dict:
        return f"Readonly<Record<string, {_to_typescript_type(arguments[1])}>>"
    if isinstance(annotation, type) and issubclass(annotation, WireModel):
        return annotation.__name__
    raise TypeError(f"No TypeScript type is known for {annotation!r}; add it to _to_typescript_type.")


def _find_element_type(annotation: Any) -> str:
    element = _to_typescript_type(annotation)
    return f"({element})" if " " in element else element


def generate_files() -> dict[str, str]:
    """Return the text of every generated file by its name."""
    return {
        "wire.ts": generate_typescript(),
        "feedbackTexts.ts": generate_feedback_texts(),
        "labels.ts": generate_labels(),
    }


def main(arguments: list[str] | None = None) -> int:
    """Write the generated files, or with --check return 1 if one of them is out of date."""
    parser = argparse.ArgumentParser(prog="python -m pmh_jupyter.wire.typescript", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only report files that are out of date")
    parser.add_argument("--folder", type=Path, default=TARGET_FOLDER)
    options = parser.parse_args(arguments)
    status = 0
    for name, text in generate_files().items():
        path = options.folder / name
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(f"{path} is out of date: run python -m pmh_jupyter.wire.typescript", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    raise SystemExit(main())
