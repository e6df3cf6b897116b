"""How templates are found and what they can call: every value is escaped, and an unknown name is an error rather than a blank."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

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
    return environment


def local(moment: datetime, zone: str) -> str:
    """A moment in the classroom's zone as a person reads it: "Fri 20 Nov 2026, 18:00". SQLite gives times without a zone: UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    there = aware.astimezone(ZoneInfo(zone))
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M}"
