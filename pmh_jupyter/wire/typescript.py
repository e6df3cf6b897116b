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

from pmh_jupyter.wire.base import ErrorReply, Message
from pmh_jupyter.wire.lab import (
    LabCheckRequest,
    LabStatus,
    LabSubmitRequest,
    LabWorkReply,
    OpenReply,
    OpenRequest,
    OutboxReply,
)
from pmh_jupyter.wire.outline import OutlineReply
from pmh_jupyter.wire.people import JoinRequest, MeReply
from pmh_jupyter.wire.work import EventReply, WorkListReply

TARGET = Path("labextension/src/wire.ts")
ROOTS: tuple[type[Message], ...] = (
    ErrorReply,
    MeReply,
    JoinRequest,
    OutlineReply,
    WorkListReply,
    EventReply,
    LabStatus,
    OpenRequest,
    OpenReply,
    LabCheckRequest,
    LabSubmitRequest,
    LabWorkReply,
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


def typescript(roots: tuple[type[Message], ...] = ROOTS) -> str:
    """The text of wire.ts: every root and every message that one of them holds, in the order of first mention."""
    found: dict[str, type[Message]] = {}
    for root in roots:
        _collect(root, found)
    return HEADER + "".join("\n" + _interface(model) for model in found.values())


def _collect(model: type[Message], found: dict[str, type[Message]]) -> None:
    if model.__name__ in found:
        return
    for field in model.model_fields.values():
        for part in _parts(field.annotation):
            if isinstance(part, type) and issubclass(part, Message):
                _collect(part, found)
    found[model.__name__] = model


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    if get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _parts(argument)


def _interface(model: type[Message]) -> str:
    # A field with a default may be left out of what the panel sends; what it receives always has every field.
    optional = model.__name__.endswith("Request")
    fields = "".join(_field(name, field, optional) for name, field in model.model_fields.items())
    return f"{_comment(model.__doc__ or '', '')}export interface {model.__name__} {{\n{fields}}}\n"


def _field(name: str, field: FieldInfo, optional: bool) -> str:
    mark = "?" if optional and not field.is_required() else ""
    return f"{_comment(field.description or '', '  ')}  readonly {name}{mark}: {_type(field.annotation)};\n"


def _comment(text: str, indent: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines()]
    if not any(lines):
        return ""
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def _type(annotation: Any) -> str:
    """The TypeScript type of an annotation; raises TypeError for one that the wire has not used so far."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(f"'{value}'" for value in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(_type(argument) for argument in arguments))
    if origin in (tuple, list):
        return f"readonly {_element(arguments[0])}[]"
    if origin is dict:
        return f"Readonly<Record<string, {_type(arguments[1])}>>"
    if isinstance(annotation, type) and issubclass(annotation, Message):
        return annotation.__name__
    raise TypeError(f"No TypeScript type is known for {annotation!r}; teach it to {__name__}.")


def _element(annotation: Any) -> str:
    written = _type(annotation)
    return f"({written})" if " " in written else written


def main(arguments: list[str] | None = None) -> int:
    """Writes wire.ts, or with --check answers 1 when it is not current."""
    parser = argparse.ArgumentParser(prog="python -m pmh_jupyter.wire.typescript", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the file is current")
    parser.add_argument("--target", type=Path, default=TARGET)
    options = parser.parse_args(arguments)
    text = typescript()
    if not options.check:
        options.target.write_text(text, encoding="utf-8")
        return 0
    if options.target.read_text(encoding="utf-8") == text:
        return 0
    print(f"{options.target} is not current: run python -m pmh_jupyter.wire.typescript", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
