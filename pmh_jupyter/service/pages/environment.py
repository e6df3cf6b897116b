"""How templates are found and what they can call: every value is escaped, and an unknown name is an error rather than a blank."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

HERE = Path(__file__).parent.parent
STATIC = HERE / "static"


def make_environment() -> Environment:
    """The environment of `service/templates`."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["local"] = local
    environment.filters["prose"] = prose
    return environment


def prose(text: str) -> Markup:
    """A sentence with its `code` set as code, as the panel does it."""
    parts = re.split(r"`([^`\n]+)`", text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def local(moment: datetime, zone: str) -> str:
    """A moment in the classroom's zone as a person reads it: "Fri 20 Nov 2026, 18:00". SQLite gives times without a zone: UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    there = aware.astimezone(ZoneInfo(zone))
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M}"
